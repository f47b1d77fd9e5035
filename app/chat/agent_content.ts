import { E_CHAT_CONTENT, E_CHAT_IMAGE } from '#chat/errors'
import { SYSTEM_ROLES, type RequestMessage } from '#chat/turn_messages'
import { unreadablePart } from '#chat/written'

type Part = Record<string, any>

/** Counts bytes against the sender's share of memory; throws if it is exceeded. */
export type TakeBytes = (bytes: number) => void

/** Reads an image from the web as a data: URL. Rejects with E_CHAT_IMAGE, or what `take` throws. */
export type FetchImage = (url: string, take: TakeBytes) => Promise<string>

/** A gateway's limit of images per message. */
const MOST_IMAGES = 8

/** Carries images if the list ends with a tool's result or an answer: a gateway reads them in a user's message only. */
const CARRIER: RequestMessage = {
  role: 'user',
  content: 'Continue. These are the images of the messages before.',
}

/** Message parts an agent can read. A gateway drops all others, so the answer would miss the point. */
const READABLE = new Set(['text', 'input_text', 'image_url', 'refusal'])

/**
 * Returns the messages in a form the agent reads completely: images from the web become data: URLs, and
 * images of earlier messages move to the last one of the user, because a gateway ignores them elsewhere. Returns the
 * same list if nothing had to change.
 *
 * @throws E_CHAT_CONTENT, E_CHAT_IMAGE, and whatever `take` throws
 */
export async function agentContent(
  messages: RequestMessage[],
  fetchImage: FetchImage,
  take: TakeBytes
): Promise<RequestMessage[]> {
  const parts = messages.flatMap(partsOf)
  const unreadable = parts.find(({ type }) => !READABLE.has(type))
  if (unreadable) throw unreadablePart(unreadable.type)
  const images = parts.filter(isImage)
  if (images.length === 0) return messages
  if (images.length > MOST_IMAGES) {
    const sent = `This request has ${images.length}.`
    throw new E_CHAT_CONTENT(`Your agent reads ${MOST_IMAGES} images at once. ${sent}`)
  }

  const last = messages.findLastIndex(({ role }) => !SYSTEM_ROLES.has(role))
  const isAsked = messages[last]?.role === 'user'
  const turn = isAsked ? messages : [...messages, CARRIER]
  const reader = isAsked ? last : messages.length
  const isInPlace = turn.every((message, at) => at === reader || !partsOf(message).some(isImage))
  if (isInPlace && images.every((part) => addressOf(part).startsWith('data:'))) return messages

  const read: Part[] = []
  const fetch = (url: string) => fetchImage(url, take)
  for (const part of images) read.push(await withData(part, fetch))
  return turn.map((message, at) => {
    const texts = partsOf(message).filter((part) => !isImage(part))
    if (at === reader) return { ...message, content: [...textsOf(message, texts), ...read] }
    return isText(message) ? message : { ...message, content: texts }
  })
}

/** Whether a message has no parts, and so nothing to read or to refuse. */
export function isText({ content }: RequestMessage): boolean {
  return !Array.isArray(content)
}

function textsOf(message: RequestMessage, texts: Part[]): Part[] {
  const { content } = message
  return typeof content === 'string' && content !== '' ? [{ type: 'text', text: content }] : texts
}

function partsOf({ content }: RequestMessage): Part[] {
  if (!Array.isArray(content)) return []
  return content.filter((part) => typeof part === 'object' && part !== null)
}

const isImage = ({ type }: Part) => type === 'image_url'

function addressOf({ image_url: image }: Part): string {
  const url = typeof image === 'string' ? image : image?.url
  if (typeof url !== 'string') throw new E_CHAT_CONTENT('An image has no URL.')
  return url.trim()
}

async function withData(part: Part, fetch: (url: string) => Promise<string>): Promise<Part> {
  const url = addressOf(part)
  if (/^data:/i.test(url)) return part
  if (!/^https?:\/\//i.test(url)) throw new E_CHAT_IMAGE('An image has no address of the web.')
  return { type: 'image_url', image_url: { url: await fetch(url) } }
}
