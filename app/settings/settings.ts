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
import type { ChangedBy, Definition, SettingForm } from '#settings/setting_kinds'

/** How long another replica's change may go unnoticed, in milliseconds. */
const SNAPSHOT_AGE_MS = 2000

/** A setting as an admin sees it. A secret's value is null; `set` says whether it has one. */
export interface ListedSetting {
  key: string
  value: unknown
  source: 'default' | 'database'
  secret: boolean
  set: boolean
  changedBy: 'admin' | ChangedBy
  form: SettingForm | null
}

/** A validated change. `json` is null for the default. */
export interface SettingChange {
  key: string
  definition: Definition<unknown>
  json: string | null
}

/** Returns the settings of plugins, by key. */
export type MoreSettings = () => Promise<Map<string, Definition<any>>>

/**
 * The installation's typed settings, over the rows of `system_configs`. Reads use a snapshot of the whole
 * (small) table that is at most two seconds old, and current after this process writes.
 */
export class Settings {
  #snapshot: { rows: Map<string, SystemConfig>; at: number } | null = null

  constructor(
    protected vault: VaultManager,
    protected now: () => number = Date.now,
    protected more: MoreSettings = async () => new Map()
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
    return this.#opened(row, definitionOf(key))
  }

  /**
   * Returns a plugin's stored values by setting key; unset ones are left out. Throws like `get`.
   *
   * @param prefix of the keys
   */
  async stored(prefix: string): Promise<Map<string, any>> {
    const rows = await this.#rows()
    const values = new Map<string, unknown>()
    for (const [key, definition] of await this.more()) {
      const row = rows.get(key)
      if (!key.startsWith(prefix) || !row || row.value === null) continue
      values.set(key, await this.#opened(row, definition))
    }
    return values
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
    const definition = definitionOf(key)
    const json = value === null ? null : JSON.stringify(await validated(key, definition, value))
    await this.#write({ key, definition, json })
  }

  /**
   * Validates all values, then stores them: one bad value changes nothing.
   *
   * @throws E_UNKNOWN_SETTING, E_VALIDATION_ERROR naming each bad one
   */
  async patch(values: Record<string, unknown>): Promise<string[]> {
    const checked = await this.check(values)
    for (const change of checked) await this.#write(change)
    return checked.map(({ key }) => key)
  }

  /** Returns the changes as `patch` would store them. Throws like `patch`. */
  async check(values: Record<string, unknown>): Promise<SettingChange[]> {
    const checked: SettingChange[] = []
    const wrong: FieldError[] = []
    const more = await this.more()
    for (const [key, value] of Object.entries(values)) {
      const definition = isSettingKey(key) ? definitionOf(key) : more.get(key)
      if (!definition || definition.internal) throw new E_UNKNOWN_SETTING()
      try {
        const json = value === null ? null : JSON.stringify(await validated(key, definition, value))
        checked.push({ key, definition, json })
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
    const change = { key, definition: definitionOf(key), json: JSON.stringify(value) }
    const row = await this.#build(new SystemConfig(), change)
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

  /** Returns the keys that only this one may change. */
  async keysOf(who: ChangedBy, values: Record<string, unknown>): Promise<string[]> {
    const more = await this.more()
    const definition = (key: string) => (isSettingKey(key) ? definitionOf(key) : more.get(key))
    return Object.keys(values).filter((key) => definition(key)?.changedBy === who)
  }

  /** Lists all settings that an admin may see, with the source of each value. */
  async list(): Promise<ListedSetting[]> {
    const rows = await this.#rows()
    return [...Object.entries<Definition<any>>(DEFINITIONS), ...(await this.more())]
      .filter(([, definition]) => !definition.internal)
      .map(([key, definition]) => {
        const row = rows.get(key)
        const set = row !== undefined && row.value !== null
        const secret = definition.secret === true
        return {
          key,
          value: secret ? null : set ? JSON.parse(row.value!) : definition.default,
          source: set ? 'database' : 'default',
          secret,
          set,
          changedBy: definition.changedBy ?? 'admin',
          form: definition.form ?? null,
        }
      })
  }

  /** Returns the value of a row whose value is not null. */
  async #opened(row: SystemConfig, { secret }: Definition<unknown>): Promise<any> {
    if (!secret) return JSON.parse(row.value!)
    return openedValue(row.key, await this.vault.open(row.value!, sealContext(row.id)))
  }

  async #write(change: SettingChange): Promise<void> {
    const row = (await SystemConfig.findBy('key', change.key)) ?? new SystemConfig()
    await (await this.#build(row, change)).save()
    this.#snapshot = null
  }

  async #build(row: SystemConfig, { key, definition, json }: SettingChange): Promise<SystemConfig> {
    row.id ??= createId()
    row.key = key
    row.encrypted = definition.secret === true
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
function openedValue(key: string, text: string) {
  const sealed: unknown = JSON.parse(text)
  if (!isBound(sealed)) return sealed as any
  if (sealed[0] !== key) throw new E_VAULT_TAMPERED()
  return sealed[1]
}

async function validated(
  key: string,
  definition: Definition<unknown>,
  value: unknown
): Promise<unknown> {
  const schema = vine.object({ [key]: definition.schema as any })
  const result: Record<string, unknown> = await vine.validate({
    schema,
    data: { [key]: value },
    messagesProvider: settingMessages,
  })
  return result[key]
}
