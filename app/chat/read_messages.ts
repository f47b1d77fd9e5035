import type { GatewayMessage, PastStep } from '#openclaw/gateway_messages'
import { withoutBlocks } from '#chat/attachments'
import { E_AGENT_FAILED } from '#chat/errors'
import { ownModelName } from '#chat/own_model_name'

/** An attachment of a past message. Pictures have a URL; other files only a name. */
export interface ReadAttachment {
  name: string
  type: string
  url?: string
}

/** A message as its owner reads it. */
export interface ReadMessage extends Pick<GatewayMessage, 'id' | 'role' | 'text' | 'at' | 'usage'> {
  reasoning?: string
  tools?: PastStep[]
  attachments?: ReadAttachment[]
  model?: string
  failure?: { code: string; message: string; hint?: string }
  /** Set if its owner stopped it. */
  stopped?: true
}

/** Prefix of a line by which an agent shows a file. */
const SHOWN = 'MEDIA:'

/** Files of one page, with pictures; an agent can name a million in one message. Later ones are left out. */
const MOST_FILES = 10_000

/**
 * OpenClaw's note before a question that follows one without an answer, such as a stopped one. It repeats that
 * one after the note.
 */
const QUEUED = /^\[Queued user message[^\]\n]*\]\s*/

/** By the ending of a name that an agent chooses: a map, because an object has a `constructor`. */
const TYPES = new Map([
  ['png', 'image/png'],
  ['jpg', 'image/jpeg'],
  ['jpeg', 'image/jpeg'],
  ['gif', 'image/gif'],
  ['webp', 'image/webp'],
])

/** Converts a gateway's messages to Mosaic's form, oldest first. */
export function readMessages(conversationId: string, messages: GatewayMessage[]): ReadMessage[] {
  let before: string | undefined
  let mostFiles = MOST_FILES
  return messages.map((message) => {
    const read = readMessage(conversationId, message, { before, mostFiles })
    mostFiles -= read.attachments?.length ?? 0
    if (message.role === 'user') before = message.text
    return read
  })
}

/** @param before the question before, as stored */
function readMessage(
  conversationId: string,
  message: GatewayMessage,
  { before, mostFiles }: { before?: string; mostFiles: number }
): ReadMessage {
  const { id, role, at, reasoning, tools, model, usage, failed, stopped } = message
  const { text, files } =
    role === 'user' ? asked(message.text, before) : said(conversationId, message, mostFiles)
  const pictures = (message.pictures ?? []).slice(0, mostFiles).map((picture, index) => ({
    name: `${index + 1}.${picture.type.split('/')[1]}`,
    type: picture.type,
    url: pictureUrl(conversationId, { artifact: picture.id }),
  }))
  const attachments: ReadAttachment[] = [...pictures, ...files].slice(0, mostFiles)
  return {
    id,
    role,
    text,
    at,
    ...(reasoning && { reasoning }),
    ...(tools && { tools }),
    ...(attachments.length > 0 && { attachments }),
    ...(model && { model: ownModelName(model) }),
    ...(usage && { usage }),
    ...(failed && { failure: failure() }),
    ...(stopped && { stopped }),
  }
}

/**
 * Returns a question as its owner wrote it, without the files that were inserted into it.
 *
 * @param before the question before, as stored
 */
export const questionOf = (stored: string, before?: string) => asked(stored, before).text

/** How a file block begins. */
const FILE = '<attachment name="'
const CUT = '…'

/**
 * Returns a question as one line, for a title: without the files that were inserted into it, or the name of
 * the first file if there is nothing else. OpenClaw may have cut the question, even within a file's block.
 */
export function titleLine(stored: string): string {
  const line = stored.replace(QUEUED, '').replace(/\s+/g, ' ').trim()
  const at = fileAt(line)
  if (at === -1) return line
  const name = line.slice(at + FILE.length).split(/["…]/, 1)[0]
  return line.slice(0, at).trim() || name || line
}

function fileAt(line: string): number {
  const whole = line.indexOf(FILE)
  if (whole !== -1 || !line.endsWith(CUT)) return whole
  const last = line.lastIndexOf('<')
  return last !== -1 && FILE.startsWith(line.slice(last, -CUT.length)) ? last : -1
}

const asked = (stored: string, before = '') => withoutBlocks(withoutUnanswered(stored, before))

function withoutUnanswered(stored: string, before: string): string {
  const text = stored.replace(QUEUED, '')
  if (text === stored || !before || !text.startsWith(before)) return text
  return text.slice(before.length).trimStart() || text
}

/** Returns the workspace files an agent shows with its answer. */
export function shownFiles(conversationId: string, paths: string[]): ReadAttachment[] {
  return paths.map((path) => {
    const name = path.split('/').at(-1) || path
    const type = TYPES.get(name.split('.').at(-1)!.toLowerCase())
    if (!type) return { name, type: 'application/octet-stream' }
    return { name, type, url: pictureUrl(conversationId, { path }) }
  })
}

/** Returns an agent's text and the files it shows. */
function said(conversationId: string, message: GatewayMessage, mostFiles: number) {
  const { text, paths } = partsOf(message.text)
  return { text, files: shownFiles(conversationId, paths.slice(0, mostFiles)) }
}

/** Splits an agent's text from the paths of the files it shows. */
function partsOf(text: string): { text: string; paths: string[] } {
  if (!text.includes(SHOWN)) return { text, paths: [] }
  const lines = text.split('\n')
  const shown = lines.filter((line) => line.startsWith(SHOWN))
  return {
    text: lines.filter((line) => !line.startsWith(SHOWN)).join('\n'),
    paths: shown.map((line) => line.slice(SHOWN.length).trim()).filter(Boolean),
  }
}

const pictureUrl = (conversationId: string, query: Record<string, string>) =>
  `/api/v1/conversations/${encodeURIComponent(conversationId)}/picture?${new URLSearchParams(query)}`

function failure() {
  const { code, message, help } = new E_AGENT_FAILED()
  return { code: code!, message, ...(help && { hint: help }) }
}
