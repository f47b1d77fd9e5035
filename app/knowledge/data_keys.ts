import { randomBytes } from 'node:crypto'
import { DateTime } from 'luxon'
import db from '@adonisjs/lucid/services/db'
import DataKey from '#models/data_key'
import { DataCipher } from '#vaults/data_cipher'
import { E_DATA_KEY_GONE } from '#vaults/errors'

const KEY_BYTES = 32

/** Value of `data_keys.owner`. */
const ownerOf = (userId: string) => `user/${userId}`

/**
 * One data key per owner. Keys are unsealed when needed and never cached, so that data becomes unreadable as
 * soon as the key's row is deleted.
 */
export class DataKeys {
  /**
   * Returns null for an owner without a key: they have no sealed data, or it can no longer be opened.
   *
   * @throws E_VAULT_UNKNOWN_KEY, E_VAULT_TAMPERED
   */
  async find(userId: string): Promise<DataCipher | null> {
    const row = await DataKey.findBy('owner', ownerOf(userId))
    if (!row) return null
    const secret = await row.open('key')
    return new DataCipher(row.id, Buffer.from(secret!, 'base64url'))
  }

  /** As `find`, for an owner who has sealed data. @throws E_DATA_KEY_GONE */
  async require(userId: string): Promise<DataCipher> {
    const cipher = await this.find(userId)
    if (!cipher) throw new E_DATA_KEY_GONE()
    return cipher
  }

  /** Creates the key if there is none. Concurrent callers all get the first one's. */
  async get(userId: string): Promise<DataCipher> {
    const found = await this.find(userId)
    if (found) return found
    const row = new DataKey()
    await row.seal('key', randomBytes(KEY_BYTES).toString('base64url'))
    const now = DateTime.utc().toFormat(db.connection().dialect.dateTimeFormat)
    await db
      .insertQuery()
      .table('data_keys')
      .insert({
        id: row.id,
        owner: ownerOf(userId),
        user_id: userId,
        key: row.key,
        created_at: now,
        updated_at: now,
      })
      .knexQuery.onConflict('owner')
      .ignore()
    return (await this.find(userId))!
  }
}
