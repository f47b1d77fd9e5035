import vine, { errors } from '@vinejs/vine'
import { createId } from '#models/row_id'
import type { TransactionClientContract } from '@adonisjs/lucid/types/database'
import SystemConfig from '#models/system_config'
import type { VaultManager } from '#vaults/manager'
import { E_VAULT_TAMPERED } from '#vaults/errors'
import { E_UNKNOWN_SETTING } from '#settings/errors'
import { refuseFields, type FieldError } from '#settings/field_errors'
import { settingMessages } from '#settings/messages'
import { SettingRows, type NewSettingRow, type SettingRowsByKey } from '#settings/setting_rows'
import {
  DEFINITIONS,
  SECRET_SETTINGS,
  definitionOf,
  type SettingKey,
  type SettingValue,
} from '#settings/definitions'
import type { ChangedBy, Definition, SettingForm } from '#settings/setting_kinds'

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

/** Returns effective values. */
export type SettingsReader = Pick<Settings, 'get'>

/** Returns the settings of plugins, by key. */
export type MoreSettings = () => Promise<Map<string, Definition<any>>>

/**
 * The installation's typed settings, over the rows of `system_configs`. Another replica's change may go unnoticed
 * for two seconds.
 */
export class Settings {
  readonly #rows: SettingRows

  constructor(
    protected vault: VaultManager,
    now: () => number = Date.now,
    protected more: MoreSettings = async () => new Map()
  ) {
    this.#rows = new SettingRows(now)
  }

  /**
   * Returns the effective value. Opens secrets, so call it where the secret is used. The definition decides
   * whether a value is sealed, never its row: someone who can write to the database cannot replace a secret
   * with plain text.
   *
   * @throws E_VAULT_TAMPERED, E_VAULT_UNKNOWN_KEY for a secret that does not open
   */
  async get<Key extends SettingKey>(key: Key): Promise<SettingValue<Key>> {
    return this.#valueIn(await this.#rows.all(), key)
  }

  /**
   * Returns a reader of values that belong together, as a server and its password: all of them are from one
   * moment, however long the reading takes. Use it at once.
   */
  async snapshot(): Promise<SettingsReader> {
    const rows = await this.#rows.all()
    return { get: (key) => this.#valueIn(rows, key) }
  }

  /** Makes the next read see other replicas' changes. */
  refresh(): void {
    this.#rows.forget()
  }

  /**
   * Returns a plugin's stored values by setting key; unset ones are left out. Throws like `get`.
   *
   * @param prefix of the keys
   */
  async stored(prefix: string): Promise<Map<string, any>> {
    const rows = await this.#rows.all()
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
      this.#rows.forget()
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
    await this.#write([{ key, definition, json }])
  }

  /**
   * Validates and seals all values, then stores them at once: one bad value, a vault that fails or a crash changes
   * nothing, and nobody ever reads some of them new and others old.
   *
   * @throws E_UNKNOWN_SETTING, E_VALIDATION_ERROR naming each bad one, errors of the vault
   */
  async patch(values: Record<string, unknown>): Promise<string[]> {
    const checked = await this.check(values)
    await this.#write(checked)
    return checked.map(({ key }) => key)
  }

  /** Returns the changes as `patch` would store them. Throws like `patch`. */
  async check(values: Record<string, unknown>): Promise<SettingChange[]> {
    const checked: SettingChange[] = []
    const wrong: FieldError[] = []
    for (const [key, value] of Object.entries(values)) {
      const definition = await this.definition(key)
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
    return this.#rows.claim(await this.#sealed(change, createId()), trx)
  }

  /** @throws E_UNKNOWN_SETTING, also for what Mosaic maintains itself */
  async definition(key: string): Promise<Definition<any>> {
    const definition = isSettingKey(key) ? definitionOf(key) : (await this.more()).get(key)
    if (!definition || definition.internal) throw new E_UNKNOWN_SETTING(key)
    return definition
  }

  /** Returns the keys that only this one may change. */
  async keysOf(who: ChangedBy, values: Record<string, unknown>): Promise<string[]> {
    const more = await this.more()
    const definition = (key: string) => (isSettingKey(key) ? definitionOf(key) : more.get(key))
    return Object.keys(values).filter((key) => definition(key)?.changedBy === who)
  }

  /** Lists all settings that an admin may see, with the source of each value. */
  async list(): Promise<ListedSetting[]> {
    const rows = await this.#rows.all()
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

  async #valueIn<Key extends SettingKey>(
    rows: SettingRowsByKey,
    key: Key
  ): Promise<SettingValue<Key>> {
    const row = rows.get(key)
    if (!row || row.value === null) return DEFINITIONS[key].default
    return this.#opened(row, definitionOf(key))
  }

  /** Seals first: a vault may be a service, and nothing may wait for it with half a change stored. */
  async #write(changes: SettingChange[]): Promise<void> {
    const ids = await this.#rows.idsOf(changes.map(({ key }) => key))
    const rows: NewSettingRow[] = []
    for (const change of changes) {
      rows.push(await this.#sealed(change, ids.get(change.key) ?? createId()))
    }
    await this.#rows.store(rows)
  }

  /** @param id of the row, to which a secret is bound */
  async #sealed({ key, definition, json }: SettingChange, id: string): Promise<NewSettingRow> {
    const encrypted = definition.secret === true
    const value =
      encrypted && json !== null
        ? await this.vault.seal(boundText(key, json), sealContext(id))
        : json
    return { id, key, value, encrypted }
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
