import Finding from '#models/finding'
import type { Author, FindingStatus } from '#models/types'
import { iso } from '#knowledge/iso'
import type { DataCipher } from '#vaults/data_cipher'

/** A finding as returned to its owner. Times are ISO 8601 in UTC. */
export interface FindingView {
  id: string
  title: string
  body: string
  /** The source, in the author's words. */
  source: string | null
  author: Author
  status: FindingStatus
  confirmedAt: string | null
  expiresAt: string | null
  /** The finding it corrects. */
  supersedes: string | null
  /** The finding that corrects it. */
  supersededBy: string | null
  createdAt: string
  updatedAt: string
}

/** @throws E_DATA_KEY_GONE, E_VAULT_TAMPERED */
export function findingView(
  row: Finding,
  cipher: DataCipher,
  supersedes: string | null
): FindingView {
  return {
    id: row.id,
    title: row.openWith(cipher, 'title')!,
    body: row.openWith(cipher, 'body')!,
    source: row.openWith(cipher, 'source'),
    author: row.author,
    status: row.status,
    confirmedAt: iso(row.confirmedAt),
    expiresAt: iso(row.expiresAt),
    supersedes,
    supersededBy: row.supersededBy ?? null,
    createdAt: iso(row.createdAt)!,
    updatedAt: iso(row.updatedAt)!,
  }
}

/** Returns the views of one owner's rows, each with the finding that it corrects. */
export async function findingViews(
  userId: string,
  rows: Finding[],
  cipher: DataCipher
): Promise<FindingView[]> {
  const ids = rows.map(({ id }) => id)
  const corrected = await Finding.ownedBy(userId)
    .whereIn('superseded_by', ids)
    .select('id', 'superseded_by')
  const byCorrector = new Map(corrected.map(({ id, supersededBy }) => [supersededBy!, id]))
  return rows.map((row) => findingView(row, cipher, byCorrector.get(row.id) ?? null))
}

/** Returns whether a finding is current and has not expired. */
export const holds = ({ status, expiresAt }: FindingView) =>
  status === 'current' && (expiresAt === null || Date.parse(expiresAt) > Date.now())
