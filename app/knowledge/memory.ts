import { DateTime } from 'luxon'
import db from '@adonisjs/lucid/services/db'
import type { TransactionClientContract } from '@adonisjs/lucid/types/database'
import AgentMemory from '#models/agent_memory'
import { lockOwner } from '#models/owner_lock'
import { FIRST_PAGE, PAGE_LIMIT, pageWith, type PageQuery } from '#models/page'
import type { AgentName } from '#openclaw/agent_name'
import type { DataKeys } from '#knowledge/data_keys'
import { E_MEMORY_NOT_FOUND, E_REVISION } from '#knowledge/errors'
import { iso } from '#knowledge/iso'
import { requireRoom, sizeOf, type KnowledgeQuota } from '#knowledge/quota'
import { readable } from '#knowledge/readable'
import type { DataCipher } from '#vaults/data_cipher'

export const DEFAULT_NAMESPACE = 'default'

/** An agent's memory as returned to its owner. Times are ISO 8601 in UTC. */
export interface MemoryView {
  namespace: string
  key: string
  /** Any JSON. */
  value: unknown
  /** Starts at 1 and grows by one with each change. */
  revision: number
  expiresAt: string | null
  createdAt: string
  updatedAt: string
}

/** Location of a memory. */
export interface MemoryKey {
  namespace?: string
  key: string
}

/** The revision that was read, 0 if there was none, or `*` for any, but not for none. */
export type RequiredRevision = number | '*'

export interface MemoryInput {
  /** Any JSON. */
  value?: any
  /** If omitted, any existing value is replaced. */
  revision?: RequiredRevision
  /** If omitted or null, it is kept until it is deleted. */
  expiresAt?: DateTime | null
}

/** Key-value memories of owners' agents. Expired ones do not exist. */
export class AgentMemories {
  constructor(
    protected keys: DataKeys,
    protected quota: KnowledgeQuota
  ) {}

  /** Returns the most recently changed first. @throws E_DATA_KEY_GONE if the owner's only key is lost */
  async list(
    userId: string,
    { namespace, page = FIRST_PAGE, limit = PAGE_LIMIT }: PageQuery & { namespace?: string }
  ) {
    const query = this.lasting(userId)
    const cipher = namespace === undefined ? null : await this.keys.find(userId)
    if (cipher) void query.where('namespace_mac', cipher.name('namespace', namespace!))
    const found = await query.orderBy('updated_at', 'desc').orderBy('id').paginate(page, limit)
    const { views, unreadable } = await this.viewsOf(userId, found.all())
    return pageWith(found, views, unreadable)
  }

  /** Finds an owner's memories that have not expired. */
  lasting(userId: string) {
    const now = DateTime.utc().toFormat(db.connection().dialect.dateTimeFormat)
    return AgentMemory.ownedBy(userId).where((kept) =>
      kept.whereNull('expires_at').orWhere('expires_at', '>', now)
    )
  }

  /** Opens rows of an owner, as `readable`. @throws E_DATA_KEY_GONE if the owner's only key is lost */
  async viewsOf(userId: string, rows: AgentMemory[]) {
    const cipher = rows.length > 0 ? await this.keys.require(userId) : null
    return readable(rows, (row) => memoryView(row, cipher!))
  }

  /** @throws E_MEMORY_NOT_FOUND, E_DATA_KEY_GONE */
  async find(userId: string, at: MemoryKey): Promise<MemoryView> {
    const cipher = await this.keys.find(userId)
    const row = cipher && (await this.#row(userId, cipher, at))
    if (!row || isOver(row)) throw new E_MEMORY_NOT_FOUND()
    return memoryView(row, cipher)
  }

  /** Stores or replaces a value. @throws E_REVISION, E_TOO_MUCH_KNOWLEDGE */
  async put(userId: string, at: MemoryKey, input: MemoryInput): Promise<MemoryView> {
    const cipher = await this.keys.get(userId)
    const limits = await this.quota.read()
    const value = JSON.stringify(input.value)
    const { namespace, key } = full(at)
    const bytes = sizeOf(namespace, key, value)
    return db.transaction(async (trx) => {
      await lockOwner(userId, trx)
      const present = await this.#row(userId, cipher, at, trx)
      const held = present && !isOver(present) ? present.revision : 0
      const { revision: required = held } = input
      if (required === '*' ? held === 0 : required !== held) throw new E_REVISION(held)
      const former = present?.bytes ?? 0
      const growth = { rows: present ? 0 : 1, bytes: Math.max(bytes - former, 0) }
      await requireRoom(userId, growth, limits, trx)

      const row = present ?? new AgentMemory()
      row.merge({
        userId,
        agent: agentOf(userId),
        namespaceMac: cipher.name('namespace', namespace),
        keyMac: cipher.name('memory', namespace, key),
        revision: held + 1,
        expiresAt: input.expiresAt ?? null,
        bytes,
      })
      row.sealWith(cipher, 'name', JSON.stringify([namespace, key]))
      row.sealWith(cipher, 'value', value)
      await row.useTransaction(trx).save()
      return memoryView(row, cipher)
    })
  }

  /** Deletes a memory. @throws E_MEMORY_NOT_FOUND, E_REVISION */
  async delete(userId: string, at: MemoryKey, revision: RequiredRevision = '*'): Promise<void> {
    const cipher = await this.keys.find(userId)
    const row = cipher && (await this.#row(userId, cipher, at))
    if (!row || isOver(row)) throw new E_MEMORY_NOT_FOUND()
    const query = AgentMemory.ownedBy(userId).where('id', row.id)
    if (revision !== '*') void query.where('revision', revision)
    const [deleted] = (await query.delete()) as unknown as number[]
    if (revision !== '*' && Number(deleted) === 0) throw new E_REVISION(row.revision)
  }

  #row(
    userId: string,
    cipher: DataCipher,
    at: MemoryKey,
    client?: TransactionClientContract
  ): Promise<AgentMemory | null> {
    const { namespace, key } = full(at)
    return AgentMemory.query({ client })
      .where({ user_id: userId, agent: agentOf(userId) })
      .where('key_mac', cipher.name('memory', namespace, key))
      .first()
  }
}

const agentOf = (userId: string): AgentName => `user/${userId}`

const full = ({ namespace = DEFAULT_NAMESPACE, key }: MemoryKey) => ({ namespace, key })

const isOver = ({ expiresAt }: AgentMemory) =>
  expiresAt !== null && expiresAt !== undefined && expiresAt.toMillis() <= Date.now()

function memoryView(row: AgentMemory, cipher: DataCipher): MemoryView {
  const [namespace, key] = JSON.parse(row.openWith(cipher, 'name')!) as [string, string]
  return {
    namespace,
    key,
    value: JSON.parse(row.openWith(cipher, 'value')!),
    revision: row.revision,
    expiresAt: iso(row.expiresAt),
    createdAt: iso(row.createdAt)!,
    updatedAt: iso(row.updatedAt)!,
  }
}
