import { randomBytes } from 'node:crypto'
import { DateTime } from 'luxon'
import db from '@adonisjs/lucid/services/db'
import DataKey from '#models/data_key'
import { DataCipher } from '#vaults/data_cipher'

const KEY_BYTES = 32

/** Whose key it is, as `data_keys.owner` has it. */
const ownerOf = (userId: string) => `user/${userId}`

/**
 * One key for each owner. It is opened where it is used and kept nowhere, so that what it sealed is unreadable
 * from the moment its row is gone.
 */
export class DataKeys {
  /**
   * Null for an owner who has none: nothing of theirs is sealed, or nothing opens.
   *
   * @throws E_VAULT_UNKNOWN_KEY, E_VAULT_TAMPERED
   */
  async find(userId: string): Promise<DataCipher | null> {
    const row = await DataKey.findBy('owner', ownerOf(userId))
    if (!row) return null
    const secret = await row.open('key')
    return new DataCipher(row.id, Buffer.from(secret!, 'base64url'))
  }

  /** Makes the key where there is none; of two who make it at once, both get the first one's. */
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
