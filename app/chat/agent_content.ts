import { cut } from '#text/cut'
import { E_CHAT_CONTENT, E_CHAT_IMAGE } from '#chat/errors'
import type { RequestMessage } from '#chat/turn_messages'

type Part = Record<string, any>

/** Counts bytes against the sender's share of memory; throws if it is exceeded. */
export type TakeBytes = (bytes: number) => void

/** Reads an image from the web as a data: URL. Rejects with E_CHAT_IMAGE, or what `take` throws. */
export type FetchImage = (url: string, take: TakeBytes) => Promise<string>

/** A gateway's limit of images per message. */
const MOST_IMAGES = 8

/** Message parts an agent can read. A gateway drops all others, so the answer would miss the point. */
const READABLE = new Set(['text', 'input_text', 'image_url', 'refusal'])

/**
 * Returns the messages in a form the agent reads completely: images from the web become data: URLs, and
 * images of earlier messages move to the last one, because a gateway ignores them elsewhere. Returns the same
 * list if nothing had to change.
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
  if (unreadable) {
    const type = cut(String(unreadable.type), 50)
    throw new E_CHAT_CONTENT(`Your agent cannot read a part of the type "${type}".`)
  }
  const images = parts.filter(isImage)
  if (images.length === 0) return messages

  const isElsewhere = images.some((part) => !addressOf(part).startsWith('data:'))
  const active = messages.findLastIndex(({ role }) => role === 'user' || role === 'tool')
  const isEarlier = messages.some((message, at) => at !== active && partsOf(message).some(isImage))
  const mayCarry = messages[active]?.role === 'user' && isEarlier
  if (!isElsewhere && !mayCarry) return messages

  const kept = new Set(mayCarry ? images.slice(-MOST_IMAGES) : images)
  if (kept.size > MOST_IMAGES) {
    throw new E_CHAT_CONTENT(`Your agent reads ${MOST_IMAGES} images at once.`)
  }
  const read = new Map<Part, Part>()
  const fetch = (url: string) => fetchImage(url, take)
  for (const part of kept) read.set(part, await withData(part, fetch))
  return messages.map((message, at) => {
    const own = partsOf(message)
    if (own.length === 0 && at !== active) return message
    const texts = own.filter((part) => !isImage(part))
    if (mayCarry && at !== active) return { ...message, content: texts }
    const carried = mayCarry
      ? [...read.values()]
      : own.filter(isImage).map((part) => read.get(part)!)
    return { ...message, content: [...textsOf(message, texts), ...carried] }
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
