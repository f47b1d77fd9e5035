/** Attachments of a message: pictures, texts and PDFs. */
import { E_ATTACHMENT_UNREADABLE, E_ATTACHMENTS_TOO_LARGE } from '#chat/errors'

/**
 * Limit for all attachments of one message, in bytes: 5 MB keep a gateway busy for ten seconds, and it
 * refuses 20.
 */
export const ATTACHMENT_BYTES = 10 * 1024 * 1024

/** Limit of attachments per message. */
export const MOST_ATTACHMENTS = 10

/** Text files are cut to this many characters in the message, which says so. */
export const TEXT_LENGTH = 200_000

/** Picture types that browsers and models can show. */
export const PICTURE_TYPES = ['image/png', 'image/jpeg', 'image/gif', 'image/webp']
const PICTURES = new Set(PICTURE_TYPES)
const PDF = 'application/pdf'

/** Media types of texts. Systems also declare other types for texts, such as those of videos and spreadsheets. */
const TEXT_TYPES =
  /^(text\/.*|application\/(json|xml|yaml|x-yaml|toml|javascript|typescript|x-sh|sql|x-ndjson)|.*\+(json|xml))$/

export type AttachmentKind = 'picture' | 'pdf' | 'text'

/** A file attached to a message. */
export interface Attachment {
  name: string
  type: string
  kind: AttachmentKind
  data: Buffer
}

/** A file as the client sends it. */
export interface SentFile {
  name: string
  /** Browsers declare no type for many texts. */
  type?: string | null
  /** Base64, with or without a data: URL prefix; null for an empty file. */
  data: string | null
}

const BASE64 = /^[A-Za-z0-9+/]*={0,2}$/

/**
 * Reads a file and detects its type, from its first bytes where they identify it and not from the declared
 * type alone. `field` names its field of the request.
 *
 * @throws E_ATTACHMENT_UNREADABLE if it is empty, not base64, or of a type agents cannot read
 */
export function readAttachment(
  { name, type: declared, data: sent }: SentFile,
  field = 'attachments'
): Attachment {
  const text = (sent ?? '').replace(/^data:[^,]*;base64,/, '')
  if (!BASE64.test(text)) throw new E_ATTACHMENT_UNREADABLE(name, field)
  const data = Buffer.from(text, 'base64')
  if (data.length === 0) throw new E_ATTACHMENT_UNREADABLE(name, field)
  const type = pictureType(data) ?? (declared ?? '').split(';')[0].trim().toLowerCase()
  if (PICTURES.has(type)) {
    if (!pictureType(data)) throw new E_ATTACHMENT_UNREADABLE(name, field)
    return { name, type, kind: 'picture', data }
  }
  if (data.subarray(0, 5).toString('latin1') === '%PDF-') {
    return { name, type: PDF, kind: 'pdf', data }
  }
  if (type === PDF || data.includes(0) || !isUtf8(data))
    throw new E_ATTACHMENT_UNREADABLE(name, field)
  return { name, type: TEXT_TYPES.test(type) ? type : 'text/plain', kind: 'text', data }
}

/** @throws E_ATTACHMENTS_TOO_LARGE */
export function demandFits(attachments: Attachment[]): void {
  const bytes = attachments.reduce((sum, { data }) => sum + data.length, 0)
  demandRoom(bytes, attachments.length)
}

/** The same before they are read. @throws E_ATTACHMENTS_TOO_LARGE */
export function demandRoom(bytes: number, files: number): void {
  if (bytes > ATTACHMENT_BYTES || files > MOST_ATTACHMENTS) throw new E_ATTACHMENTS_TOO_LARGE()
}

/** Returns a text file as a block of the message. A closing tag inside the text is escaped. */
export function textBlock({ name, type, data }: Attachment): string {
  const whole = data.toString('utf8')
  const isCut = whole.length > TEXT_LENGTH
  const text = isCut
    ? `${whole.slice(0, TEXT_LENGTH)}\n[Cut here: the file has ${whole.length} characters, and these are the first ${TEXT_LENGTH}.]`
    : whole
  return `\n\n<attachment name="${plain(name)}" type="${plain(type)}">\n${text.replaceAll('</attachment>', '<\\/attachment>')}\n</attachment>`
}

/** Returns a block that only names a file; its content is sent beside the message. */
export function nameBlock({ name, type }: Pick<Attachment, 'name' | 'type'>): string {
  return `\n\n<attachment name="${plain(name)}" type="${plain(type)}">\n(sent along)\n</attachment>`
}

const BLOCK_START = /^<attachment name="([^"]*)" type="([^"]*)">$/
const BLOCK_END = '</attachment>'

/** Returns a message without its file blocks, and the files they named. */
export function withoutBlocks(message: string): {
  text: string
  files: { name: string; type: string }[]
} {
  const files: { name: string; type: string }[] = []
  const said: string[] = []
  let inBlock = false
  for (const line of message.split('\n')) {
    const [, name, type] = BLOCK_START.exec(line) ?? []
    if (inBlock) inBlock = line !== BLOCK_END
    else if (name === undefined) said.push(line)
    else {
      files.push({ name, type })
      inBlock = true
    }
  }
  return { text: files.length > 0 ? said.join('\n').trim() : message, files }
}

const plain = (value: string) => value.replace(/["\n\r<>]/g, '_')

/** Returns a picture's type from its first bytes, or null if browsers and models cannot show it. */
export function pictureType(data: Buffer): string | null {
  const head = data.subarray(0, 12).toString('latin1')
  if (head.startsWith('\x89PNG')) return 'image/png'
  if (head.startsWith('\xff\xd8\xff')) return 'image/jpeg'
  if (head.startsWith('GIF8')) return 'image/gif'
  if (head.startsWith('RIFF') && head.endsWith('WEBP')) return 'image/webp'
  return null
}

function isUtf8(data: Buffer): boolean {
  try {
    return !new TextDecoder('utf-8', { fatal: true }).decode(data).includes('\0')
  } catch {
    return false
  }
}
