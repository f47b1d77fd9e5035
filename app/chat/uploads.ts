import { DateTime } from 'luxon'
import db from '@adonisjs/lucid/services/db'
import { lockOwner } from '#models/owner_lock'
import Upload from '#models/upload'
import { demandFits, readAttachment, type Attachment, type SentFile } from '#chat/attachments'
import { E_UPLOAD_NOT_FOUND, E_UPLOADS_FULL } from '#chat/errors'

/** How long an upload is kept for its message, in milliseconds. */
const KEPT_MS = 60 * 60_000

/** Limits per user: enough for several messages. */
const MOST_FILES = 40
const MOST_BYTES = 40 * 1024 * 1024

/** A pending upload, as its owner sees it. */
export interface UploadView {
  id: string
  name: string
  type: string
  size: number
  expiresAt: Date
}

/** Sealed uploads waiting for the message they belong to, each for an hour and only for its owner: see `upload_cleanup`. */
export class Uploads {
  /** @param now returns the time in milliseconds since the epoch */
  constructor(protected now: () => number = Date.now) {}

  /** @throws E_ATTACHMENT_UNREADABLE, E_ATTACHMENTS_TOO_LARGE, E_UPLOADS_FULL */
  async add(userId: string, file: SentFile): Promise<UploadView> {
    const attachment = readAttachment(file, 'data')
    demandFits([attachment])
    await this.forgetExpired()
    const { name, type, data } = attachment
    const expiresAt = DateTime.fromMillis(this.now() + KEPT_MS)
    const upload = new Upload().merge({ userId, name, type, size: data.length, expiresAt })
    await upload.seal('content', data.toString('base64'))
    await db.transaction(async (trx) => {
      await lockOwner(userId, trx)
      const kept = await Upload.query({ client: trx }).where('user_id', userId).select('size')
      const bytes = kept.reduce((sum, { size }) => sum + size, data.length)
      if (kept.length >= MOST_FILES || bytes > MOST_BYTES) throw new E_UPLOADS_FULL()
      await upload.useTransaction(trx).save()
    })
    return viewOf(upload)
  }

  /** Returns the bytes of the files with these ids together, without unsealing any. @throws E_UPLOAD_NOT_FOUND */
  async sizeOf(userId: string, ids: string[]): Promise<number> {
    if (ids.length === 0) return 0
    const uploads = await this.#waiting(userId, ids).select('id', 'size')
    if (uploads.length < ids.length) throw new E_UPLOAD_NOT_FOUND()
    return uploads.reduce((sum, { size }) => sum + size, 0)
  }

  /**
   * Returns the files with these ids, in this order. They stay until `forget`, so that a message that failed
   * can be sent again. No id may be named twice.
   *
   * @throws E_UPLOAD_NOT_FOUND
   */
  async read(userId: string, ids: string[]): Promise<Attachment[]> {
    if (ids.length === 0) return []
    const uploads = await this.#waiting(userId, ids)
    const attachments = ids.map(async (id) => {
      const upload = uploads.find((one) => one.id === id)
      const data = await upload?.open('content')
      if (!upload || !data) throw new E_UPLOAD_NOT_FOUND()
      return readAttachment({ name: upload.name, type: upload.type, data })
    })
    return Promise.all(attachments)
  }

  /** Deletes one pending upload. @throws E_UPLOAD_NOT_FOUND */
  async delete(userId: string, id: string): Promise<void> {
    const [deleted] = await Upload.ownedBy(userId).where('id', id).delete()
    if (!deleted) throw new E_UPLOAD_NOT_FOUND()
  }

  /** Deletes files that were sent; a no-op for those already gone. */
  async forget(userId: string, ids: string[]): Promise<void> {
    if (ids.length > 0) await Upload.ownedBy(userId).whereIn('id', ids).delete()
  }

  #waiting(userId: string, ids: string[]) {
    return Upload.ownedBy(userId).whereIn('id', ids).where('expires_at', '>', this.#present())
  }

  /** The time as the columns hold it: SQLite compares a Date, as a number, with no text. */
  #present(): string {
    return DateTime.fromMillis(this.now()).toFormat(db.connection().dialect.dateTimeFormat)
  }

  /** Deletes the expired uploads of all users. Returns how many there were. */
  async forgetExpired(): Promise<number> {
    const [deleted] = await Upload.query().where('expires_at', '<=', this.#present()).delete()
    return Number(deleted)
  }
}

function viewOf({ id, name, type, size, expiresAt }: Upload): UploadView {
  return { id, name, type, size, expiresAt: expiresAt.toJSDate() }
}
