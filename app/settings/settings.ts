import { DateTime } from 'luxon'
import vine, { errors } from '@vinejs/vine'
import { createId } from '@paralleldrive/cuid2'
import type { TransactionClientContract } from '@adonisjs/lucid/types/database'
import SystemConfig from '#models/system_config'
import type { VaultManager } from '#vaults/manager'
import { E_VAULT_TAMPERED } from '#vaults/errors'
import { E_UNKNOWN_SETTING } from '#settings/errors'
import { refuseFields, type FieldError } from '#settings/field_errors'
import { settingMessages } from '#settings/messages'
import {
  DEFINITIONS,
  SECRET_SETTINGS,
  definitionOf,
  type SettingKey,
  type SettingValue,
} from '#settings/definitions'
import type { ChangedBy } from '#settings/setting_kinds'

/** How long another replica's change may go unnoticed, in milliseconds. */
const SNAPSHOT_AGE_MS = 2000

/** A setting as an admin sees it. A secret's value is null; `set` says whether it has one. */
export interface ListedSetting {
  key: SettingKey
  value: unknown
  source: 'default' | 'database'
  secret: boolean
  set: boolean
  changedBy: 'admin' | ChangedBy
}

/**
 * The installation's typed settings, over the rows of `system_configs`. Reads use a snapshot of the whole
 * (small) table that is at most two seconds old, and current after this process writes.
 */
export class Settings {
  #snapshot: { rows: Map<string, SystemConfig>; at: number } | null = null

  constructor(
    protected vault: VaultManager,
    protected now: () => number = Date.now
  ) {}

  /**
   * Returns the effective value. Opens secrets, so call it where the secret is used. The definition decides
   * whether a value is sealed, never its row: someone who can write to the database cannot replace a secret
   * with plain text.
   *
   * @throws E_VAULT_TAMPERED, E_VAULT_UNKNOWN_KEY for a secret that does not open
   */
  async get<Key extends SettingKey>(key: Key): Promise<SettingValue<Key>> {
    const row = (await this.#rows()).get(key)
    if (!row || row.value === null) return DEFINITIONS[key].default
    const { secret } = definitionOf(key)
    if (!secret) return JSON.parse(row.value)
    return openedValue(key, await this.vault.open(row.value, sealContext(row.id)))
  }

  /** Reseals secrets of earlier versions, bound to their setting's key. Skips those that do not open. */
  async bindSecrets(): Promise<void> {
    const rows = await SystemConfig.query().whereIn('key', SECRET_SETTINGS).whereNotNull('value')
    for (const { id, key, value } of rows) {
      const context = sealContext(id)
      const text = await this.vault.open(value!, context).catch(() => null)
      if (text === null || isBound(JSON.parse(text))) continue
      const bound = await this.vault.seal(boundText(key, text), context)
      await SystemConfig.query().where({ id, key, value }).update({ value: bound })
      this.#snapshot = null
    }
  }

  /**
   * Stores a value; null restores the default.
   *
   * @throws E_VALIDATION_ERROR if the setting does not accept the value
   */
  async set<Key extends SettingKey>(key: Key, value: SettingValue<Key>): Promise<void> {
    await this.#write(key, value === null ? null : JSON.stringify(await validated(key, value)))
  }

  /**
   * Validates all values, then stores them: one bad value changes nothing.
   *
   * @throws E_UNKNOWN_SETTING, E_VALIDATION_ERROR naming each bad one
   */
  async patch(values: Record<string, unknown>): Promise<SettingKey[]> {
    const checked = await this.check(values)
    for (const [key, json] of checked) await this.#write(key, json)
    return checked.map(([key]) => key)
  }

  /**
   * Returns the values as JSON, as `patch` would store them; null restores the default. Throws like `patch`.
   */
  async check(values: Record<string, unknown>): Promise<[SettingKey, string | null][]> {
    const checked: [SettingKey, string | null][] = []
    const wrong: FieldError[] = []
    for (const [key, value] of Object.entries(values)) {
      if (!isSettingKey(key) || definitionOf(key).internal) throw new E_UNKNOWN_SETTING()
      try {
        checked.push([key, value === null ? null : JSON.stringify(await validated(key, value))])
      } catch (error) {
        if (!(error instanceof errors.E_VALIDATION_ERROR)) throw error
        wrong.push(...error.messages)
      }
    }
    refuseFields(wrong)
    return checked
  }

  /**
   * Stores a value if there is none yet, and returns whether this call did. Of concurrent callers in any number
   * of processes, exactly one gets `true`. Inside a transaction the claim lasts only if the transaction
   * commits.
   */
  async claim<Key extends SettingKey>(
    key: Key,
    value: SettingValue<Key>,
    trx?: TransactionClientContract
  ): Promise<boolean> {
    const row = await this.#build(new SystemConfig(), key, JSON.stringify(value))
    const { client } = SystemConfig.query(trx && { client: trx })
    const now = DateTime.fromMillis(this.now()).toFormat(client.dialect.dateTimeFormat)
    const inserted = await client
      .insertQuery()
      .table(SystemConfig.table)
      .insert({
        id: row.id,
        key,
        value: row.value,
        encrypted: row.encrypted,
        created_at: now,
        updated_at: now,
      })
      .knexQuery.onConflict('key')
      .ignore()
      .returning('id')
    this.#snapshot = null
    return inserted.length === 1
  }

  /** Lists all settings that an admin may see, with the source of each value. */
  async list(): Promise<ListedSetting[]> {
    const rows = await this.#rows()
    return Object.entries(DEFINITIONS)
      .filter(([, definition]) => !('internal' in definition))
      .map(([key, definition]) => {
        const row = rows.get(key)
        const set = row !== undefined && row.value !== null
        const secret = 'secret' in definition
        return {
          key: key as SettingKey,
          value: secret ? null : set ? JSON.parse(row.value!) : definition.default,
          source: set ? 'database' : 'default',
          secret,
          set,
          changedBy: definitionOf(key as SettingKey).changedBy ?? 'admin',
        }
      })
  }

  async #write(key: SettingKey, json: string | null): Promise<void> {
    const row = (await SystemConfig.findBy('key', key)) ?? new SystemConfig()
    await (await this.#build(row, key, json)).save()
    this.#snapshot = null
  }

  async #build(row: SystemConfig, key: SettingKey, json: string | null): Promise<SystemConfig> {
    row.id ??= createId()
    row.key = key
    row.encrypted = definitionOf(key).secret === true
    row.value =
      row.encrypted && json !== null
        ? await this.vault.seal(boundText(key, json), sealContext(row.id))
        : json
    return row
  }

  async #rows(): Promise<Map<string, SystemConfig>> {
    /** A snapshot from the future dates from before the clock was set back. */
    if (!this.#snapshot || Math.abs(this.now() - this.#snapshot.at) > SNAPSHOT_AGE_MS) {
      const at = this.now()
      const rows = await SystemConfig.all()
      this.#snapshot = { rows: new Map(rows.map((row) => [row.key, row])), at }
    }
    return this.#snapshot.rows
  }
}

export function isSettingKey(key: string): key is SettingKey {
  return Object.hasOwn(DEFINITIONS, key)
}

function sealContext(rowId: string) {
  return { table: SystemConfig.table, column: 'value', rowId }
}

/** The sealed form of a secret includes its key, so a row moved to another key no longer opens. */
const boundText = (key: string, json: string) => JSON.stringify([key, JSON.parse(json)])

/** Earlier versions sealed the value alone, which is a string. */
const isBound = (sealed: unknown): sealed is [key: string, value: any] => Array.isArray(sealed)

/** @throws E_VAULT_TAMPERED for the secret of another setting */
function openedValue(key: SettingKey, text: string) {
  const sealed: unknown = JSON.parse(text)
  if (!isBound(sealed)) return sealed as any
  if (sealed[0] !== key) throw new E_VAULT_TAMPERED()
  return sealed[1]
}

async function validated(key: SettingKey, value: unknown): Promise<unknown> {
  const schema = vine.object({ [key]: DEFINITIONS[key].schema as any })
  const result: Record<string, unknown> = await vine.validate({
    schema,
    data: { [key]: value },
    messagesProvider: settingMessages,
  })
  return result[key]
}
