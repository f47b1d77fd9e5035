import { DateTime } from 'luxon'
import db from '@adonisjs/lucid/services/db'
import type { TransactionClientContract } from '@adonisjs/lucid/types/database'
import Finding from '#models/finding'
import type { Author, FindingStatus } from '#models/types'
import { FIRST_PAGE, PAGE_LIMIT, pageWith, type PageQuery } from '#models/page'
import type { DataKeys } from '#knowledge/data_keys'
import { E_SIMILAR } from '#knowledge/errors'
import { findingView, type FindingView } from '#knowledge/finding_view'
import { requireRoom, sizeOf, type KnowledgeQuota } from '#knowledge/quota'
import { countsOf, likeness, wordsOf } from '#knowledge/search/words'
import type { WordIndex } from '#knowledge/search/word_index'
import type { DataCipher } from '#vaults/data_cipher'

/** Similarity at which two findings count as nearly the same. */
const NEARLY_THE_SAME = 0.7

/** Matches compared with a new finding. */
const COMPARED = 5

/** Extra matches to read, because some may have expired. */
const MORE_MATCHES = 20

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

/** A match with its score, comparable only within one search. */
export type FoundFinding = FindingView & { score: number; foundBy: 'words' }

/**
 * Findings of people and their agents. Every call is scoped to one owner: other owners' rows do not exist and
 * fail with E_ROW_NOT_FOUND (404).
 */
export class Findings {
  constructor(
    protected keys: DataKeys,
    protected index: WordIndex,
    protected quota: KnowledgeQuota
  ) {}

  /** Returns the newest first. */
  async list(
    userId: string,
    { page = FIRST_PAGE, limit = PAGE_LIMIT, status }: PageQuery & { status?: FindingStatus }
  ) {
    const query = Finding.ownedBy(userId)
    if (status) void query.where('status', status)
    const found = await query.orderBy('created_at', 'desc').orderBy('id').paginate(page, limit)
    return pageWith(found, await this.#views(userId, found.all()))
  }

  async find(userId: string, id: string): Promise<FindingView> {
    const row = await Finding.ownedBy(userId).where('id', id).firstOrFail()
    const [view] = await this.#views(userId, [row])
    return view
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
      const similar = await this.#similarTo(userId, cipher, input)
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
      if (supersedes) await this.#supersede(userId, supersedes, row.id, trx)
    })
    return findingView(row, cipher, supersedes)
  }

  /** @throws E_TOO_MUCH_KNOWLEDGE, E_DATA_KEY_GONE */
  async update(userId: string, id: string, changes: FindingChanges): Promise<FindingView> {
    const row = await Finding.ownedBy(userId).where('id', id).firstOrFail()
    const cipher = await this.keys.require(userId)
    const former = findingView(row, cipher, null)
    const text = {
      title: changes.title ?? former.title,
      body: changes.body ?? former.body,
      source: changes.source === undefined ? former.source : changes.source,
    }
    const formerBytes = row.bytes
    write(row, cipher, text)
    if (changes.expiresAt !== undefined) row.expiresAt = changes.expiresAt
    if (changes.confirmed !== undefined) {
      row.confirmedAt = changes.confirmed ? DateTime.utc() : null
    }
    if (changes.status) row.merge({ status: changes.status, supersededBy: null })
    const limits = await this.quota.read()
    await db.transaction(async (trx) => {
      const bytes = Math.max(row.bytes - formerBytes, 0)
      await requireRoom(userId, { rows: 0, bytes }, limits, trx)
      await row.useTransaction(trx).save()
      if (row.status === 'current') await this.#index(row, cipher, text, trx)
      else await this.index.remove('finding', [row.id], trx)
    })
    return this.find(userId, id)
  }

  async delete(userId: string, id: string): Promise<void> {
    const row = await Finding.ownedBy(userId).where('id', id).firstOrFail()
    await db.transaction(async (trx) => {
      await this.index.remove('finding', [row.id], trx)
      const corrected = Finding.query({ client: trx }).where('user_id', userId)
      await corrected.where('superseded_by', row.id).update({ superseded_by: null })
      await row.useTransaction(trx).delete()
    })
  }

  /** Searches current findings that have not expired, best match first. */
  async search(userId: string, query: string, limit: number): Promise<FoundFinding[]> {
    const cipher = await this.keys.find(userId)
    if (!cipher) return []
    const matches = await this.index.search(cipher, {
      userId,
      kind: 'finding',
      words: wordsOf(query),
      limit: limit + MORE_MATCHES,
    })
    const views = await this.#byId(
      userId,
      cipher,
      matches.map(({ refId }) => refId)
    )
    const found = matches.flatMap(({ refId, score }) => {
      const view = views.get(refId)
      return view && holds(view) ? [{ ...view, score, foundBy: 'words' as const }] : []
    })
    return found.slice(0, limit)
  }

  async #similarTo(
    userId: string,
    cipher: DataCipher,
    { title, body, supersedes }: FindingInput
  ): Promise<FindingView | null> {
    const words = wordsOf(`${title}\n${body}`)
    const matches = await this.index.search(cipher, {
      userId,
      kind: 'finding',
      words,
      limit: COMPARED,
    })
    const ids = matches.map(({ refId }) => refId).filter((id) => id !== supersedes)
    const own = new Set(words)
    const near = [...(await this.#byId(userId, cipher, ids)).values()]
      .filter(holds)
      .map((view) => ({ view, share: likeness(own, wordSet(view)) }))
      .filter(({ share }) => share >= NEARLY_THE_SAME)
      .toSorted((one, other) => other.share - one.share)
    return near[0]?.view ?? null
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
    const view = same.map((one) => findingView(one, cipher, null)).find(holds)
    if (view) throw new E_SIMILAR(view)
  }

  async #supersede(
    userId: string,
    id: string,
    by: string,
    trx: TransactionClientContract
  ): Promise<void> {
    await Finding.query({ client: trx })
      .where({ user_id: userId, id })
      .update({ status: 'superseded', superseded_by: by })
    await this.index.remove('finding', [id], trx)
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

  async #byId(
    userId: string,
    cipher: DataCipher,
    ids: string[]
  ): Promise<Map<string, FindingView>> {
    if (ids.length === 0) return new Map()
    const rows = await Finding.ownedBy(userId).whereIn('id', ids)
    const corrected = await this.#corrected(userId, ids)
    return new Map(
      rows.map((row) => [row.id, findingView(row, cipher, corrected.get(row.id) ?? null)])
    )
  }

  async #views(userId: string, rows: Finding[]): Promise<FindingView[]> {
    if (rows.length === 0) return []
    const cipher = await this.keys.require(userId)
    const corrected = await this.#corrected(
      userId,
      rows.map(({ id }) => id)
    )
    return rows.map((row) => findingView(row, cipher, corrected.get(row.id) ?? null))
  }

  /** Maps correcting findings to those they correct. */
  async #corrected(userId: string, ids: string[]): Promise<Map<string, string>> {
    const rows = await Finding.ownedBy(userId)
      .whereIn('superseded_by', ids)
      .select('id', 'superseded_by')
    return new Map(rows.map(({ id, supersededBy }) => [supersededBy!, id]))
  }
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

const wordSet = ({ title, body }: FindingView) => new Set(wordsOf(`${title}\n${body}`))

/** Returns whether a finding is current and has not expired. */
const holds = ({ status, expiresAt }: FindingView) =>
  status === 'current' && (expiresAt === null || Date.parse(expiresAt) > Date.now())
