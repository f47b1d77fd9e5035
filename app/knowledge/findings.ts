import { DateTime } from 'luxon'
import db from '@adonisjs/lucid/services/db'
import type { TransactionClientContract } from '@adonisjs/lucid/types/database'
import Finding from '#models/finding'
import type { Author, FindingStatus } from '#models/types'
import { lockOwner } from '#models/owner_lock'
import { FIRST_PAGE, PAGE_LIMIT, pageWith, type PageQuery } from '#models/page'
import type { DataKeys } from '#knowledge/data_keys'
import { E_SIMILAR } from '#knowledge/errors'
import type { FindingSearch, FoundFinding } from '#knowledge/finding_search'
import { correctedBy, findingView, holds, type FindingView } from '#knowledge/finding_view'
import { requireRoom, sizeOf, type KnowledgeQuota } from '#knowledge/quota'
import { readable } from '#knowledge/readable'
import type { FindingVectors } from '#knowledge/search/finding_vectors'
import { countsOf, wordsOf } from '#knowledge/search/words'
import type { WordIndex } from '#knowledge/search/word_index'
import type { DataCipher } from '#vaults/data_cipher'

export interface FindingInput {
  title: string
  body: string
  source?: string | null
  expiresAt?: DateTime | null
  /** The finding that this one corrects. */
  supersedes?: string | null
}

/** Omitted fields stay unchanged. */
export interface FindingChanges extends Partial<Omit<FindingInput, 'supersedes'>> {
  /** True confirms that the finding still holds, as of now. */
  confirmed?: boolean
  status?: Exclude<FindingStatus, 'superseded'>
}

/**
 * Findings of people and their agents. Every call is scoped to one owner: other owners' rows do not exist and
 * fail with E_ROW_NOT_FOUND (404).
 */
export class Findings {
  constructor(
    protected keys: DataKeys,
    protected index: WordIndex,
    protected quota: KnowledgeQuota,
    protected vectors: FindingVectors,
    protected finder: FindingSearch
  ) {}

  /** Returns the newest first. @throws E_DATA_KEY_GONE if the owner's only key is lost */
  async list(
    userId: string,
    { page = FIRST_PAGE, limit = PAGE_LIMIT, status }: PageQuery & { status?: FindingStatus }
  ) {
    const query = Finding.ownedBy(userId)
    if (status) void query.where('status', status)
    const found = await query.orderBy('created_at', 'desc').orderBy('id').paginate(page, limit)
    const { views, unreadable } = await this.viewsOf(userId, found.all())
    return pageWith(found, views, unreadable)
  }

  /** Opens rows of an owner, as `readable`. @throws E_DATA_KEY_GONE if the owner's only key is lost */
  async viewsOf(userId: string, rows: Finding[]) {
    const cipher = rows.length > 0 ? await this.keys.require(userId) : null
    const corrected = await correctedBy(userId, rows)
    return readable(rows, (row) => findingView(row, cipher!, corrected.get(row.id) ?? null))
  }

  async find(userId: string, id: string): Promise<FindingView> {
    const row = await Finding.ownedBy(userId).where('id', id).firstOrFail()
    const cipher = await this.keys.require(userId)
    return findingView(row, cipher, (await correctedBy(userId, [row])).get(id) ?? null)
  }

  /**
   * Stores a finding and replaces the one it supersedes. Without `force`, rejects one that nearly repeats
   * another, so that the caller can decide.
   *
   * @throws E_SIMILAR, E_TOO_MUCH_KNOWLEDGE
   */
  async create(
    userId: string,
    author: Author,
    input: FindingInput,
    { force = false } = {}
  ): Promise<FindingView> {
    const { supersedes = null } = input
    if (supersedes) await Finding.ownedBy(userId).where('id', supersedes).firstOrFail()
    const cipher = await this.keys.get(userId)
    if (!force) {
      const similar = await this.finder.similarTo(userId, cipher, input)
      if (similar) throw new E_SIMILAR(similar)
    }

    const row = new Finding()
    row.merge({ userId, author, status: 'current', expiresAt: input.expiresAt ?? null })
    write(row, cipher, input)
    const limits = await this.quota.read()
    await db.transaction(async (trx) => {
      await requireRoom(userId, { rows: 1, bytes: row.bytes }, limits, trx)
      if (!force) await this.#demandFirst(row, cipher, supersedes, trx)
      await row.useTransaction(trx).save()
      await this.#index(row, cipher, input, trx)
      if (supersedes) await this.#supersede(cipher, userId, supersedes, row.id, trx)
    })
    await this.vectors.catchUp(userId)
    return findingView(row, cipher, supersedes)
  }

  /** @throws E_TOO_MUCH_KNOWLEDGE, E_DATA_KEY_GONE */
  async update(userId: string, id: string, changes: FindingChanges): Promise<FindingView> {
    await Finding.ownedBy(userId).where('id', id).firstOrFail()
    const cipher = await this.keys.require(userId)
    const limits = await this.quota.read()
    await db.transaction(async (trx) => {
      await lockOwner(userId, trx)
      const row = await Finding.query({ client: trx }).where({ user_id: userId, id }).firstOrFail()
      const { bytes: formerBytes, contentMac: formerMac } = row
      const text = change(row, cipher, changes)
      const bytes = Math.max(row.bytes - formerBytes, 0)
      await requireRoom(userId, { rows: 0, bytes }, limits, trx)
      await row.useTransaction(trx).save()
      if (row.status === 'current') await this.#index(row, cipher, text, trx)
      else await this.index.remove('finding', [row.id], trx)
      if (row.status !== 'current' || row.contentMac !== formerMac) {
        await this.vectors.forget(cipher, userId, [row.id], trx)
      }
    })
    await this.vectors.catchUp(userId)
    return this.find(userId, id)
  }

  /** Searches current findings that have not expired, best match first. */
  search(userId: string, query: string, limit: number): Promise<FoundFinding[]> {
    return this.finder.search(userId, query, limit)
  }

  async delete(userId: string, id: string): Promise<void> {
    const row = await Finding.ownedBy(userId).where('id', id).firstOrFail()
    const cipher = await this.keys.find(userId)
    await db.transaction(async (trx) => {
      await lockOwner(userId, trx)
      await this.index.remove('finding', [row.id], trx)
      await this.vectors.forget(cipher, userId, [row.id], trx)
      const corrected = Finding.query({ client: trx }).where('user_id', userId)
      await corrected.where('superseded_by', row.id).update({ superseded_by: null })
      await row.useTransaction(trx).delete()
    })
  }

  /**
   * Rejects an identical finding. Runs under the lock of the owner's row, so that concurrent inserts see each
   * other.
   */
  async #demandFirst(
    row: Finding,
    cipher: DataCipher,
    supersedes: string | null,
    trx: TransactionClientContract
  ): Promise<void> {
    const same = await Finding.query({ client: trx })
      .where({ user_id: row.userId, content_mac: row.contentMac, status: 'current' })
      .whereNot('id', supersedes ?? '')
    const first = same.find(holds)
    if (first) throw new E_SIMILAR(findingView(first, cipher, null))
  }

  async #supersede(
    cipher: DataCipher,
    userId: string,
    id: string,
    by: string,
    trx: TransactionClientContract
  ): Promise<void> {
    await Finding.query({ client: trx })
      .where({ user_id: userId, id })
      .update({ status: 'superseded', superseded_by: by })
    await this.index.remove('finding', [id], trx)
    await this.vectors.forget(cipher, userId, [id], trx)
  }

  /** Indexes a finding; words in the title count twice. */
  #index(
    row: Finding,
    cipher: DataCipher,
    { title, body }: Pick<FindingInput, 'title' | 'body'>,
    trx: TransactionClientContract
  ): Promise<void> {
    const titleWords = wordsOf(title)
    const counts = countsOf([...titleWords, ...titleWords, ...wordsOf(body)])
    const { userId, id: refId } = row
    return this.index.put(cipher, { userId, kind: 'finding', refId, counts }, trx)
  }
}

/** Applies changes to a row, without saving it. Returns the texts that it then holds. */
function change(
  row: Finding,
  cipher: DataCipher,
  { expiresAt, confirmed, status, ...texts }: FindingChanges
): Pick<FindingInput, 'title' | 'body' | 'source'> {
  const former = findingView(row, cipher, null)
  const text = {
    title: texts.title ?? former.title,
    body: texts.body ?? former.body,
    source: texts.source === undefined ? former.source : texts.source,
  }
  write(row, cipher, text)
  if (expiresAt !== undefined) row.expiresAt = expiresAt
  if (confirmed !== undefined) row.confirmedAt = confirmed ? DateTime.utc() : null
  if (status) row.merge({ status, supersededBy: null })
  return text
}

function write(
  row: Finding,
  cipher: DataCipher,
  { title, body, source = null }: Pick<FindingInput, 'title' | 'body' | 'source'>
): void {
  row.sealWith(cipher, 'title', title)
  row.sealWith(cipher, 'body', body)
  row.sealWith(cipher, 'source', source)
  row.contentMac = cipher.name('finding', title, body)
  row.bytes = sizeOf(title, body, source)
}
