import {
  demandFits,
  demandRoom,
  readAttachment,
  type Attachment,
  type SentFile,
} from '#chat/attachments'
import type { Bodies } from '#chat/request_body'
import type { Uploads } from '#chat/uploads'

/** A file as a message brings it: inline, or the id of an upload. */
export type SentAttachment = string | { id: string } | SentFile

/** A message from the page as its client sent it. */
export interface SentMessage {
  userId: string
  message: string
  sent: SentAttachment[]
}

/** The files of a message, and the ids of those that were uploads. */
export interface ReadFiles {
  attachments: Attachment[]
  uploads: string[]
}

const idOf = (sent: SentAttachment) => (typeof sent === 'string' ? sent : 'id' in sent && sent.id)

/** Bytes of an inline file before it is decoded: a few more than it has. */
const bytesOf = ({ data }: SentFile) => Math.floor(((data?.length ?? 0) * 3) / 4)

/** Reads the files of messages, and counts them as long as they are in memory. */
export class MessageFiles {
  constructor(
    protected uploads: Pick<Uploads, 'sizeOf' | 'read'>,
    protected bodies: Bodies
  ) {}

  /**
   * Counts a message and its files against the limits on its sender's bodies until `send` has ended, however it
   * ends. Uploads count by their rows, before any is unsealed. An upload that is named twice is sent once.
   *
   * @throws E_UPLOAD_NOT_FOUND, E_ATTACHMENTS_TOO_LARGE, E_ATTACHMENT_UNREADABLE, E_TOO_MUCH_AT_ONCE,
   * E_BODIES_FULL, and whatever `send` throws
   */
  async whileSent(
    { userId, message, sent }: SentMessage,
    send: (files: ReadFiles) => Promise<void>
  ): Promise<void> {
    /** Under the agent's name, as the relay counts. */
    const { hold } = this.bodies.body(`user/${userId}`)
    try {
      await send(
        await this.#read(userId, sent, (bytes) => hold.take(bytes + Buffer.byteLength(message)))
      )
    } finally {
      hold.release()
    }
  }

  async #read(
    userId: string,
    sent: SentAttachment[],
    take: (bytes: number) => void
  ): Promise<ReadFiles> {
    const ids = [...new Set(sent.map(idOf).filter((id) => typeof id === 'string'))]
    const inline = sent.filter((one) => typeof idOf(one) !== 'string') as SentFile[]
    const uploadBytes = await this.uploads.sizeOf(userId, ids)
    demandRoom(uploadBytes, ids.length + inline.length)
    take(inline.reduce((sum, file) => sum + bytesOf(file), uploadBytes))
    const uploaded = await this.uploads.read(userId, ids)
    const byId = new Map(ids.map((id, index) => [id, uploaded[index]]))
    const files = new Set(sent.map((one) => byId.get(idOf(one) as string) ?? (one as SentFile)))
    const attachments = [...files].map((one) => ('kind' in one ? one : readAttachment(one)))
    demandFits(attachments)
    return { attachments, uploads: ids }
  }
}
