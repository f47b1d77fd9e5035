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

/** `supersedes` is the finding that it corrects. @throws E_DATA_KEY_GONE, E_VAULT_TAMPERED */
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

/** Returns the ids of the findings that an owner's rows correct, by the ids of the rows. */
export async function correctedBy(userId: string, rows: Finding[]): Promise<Map<string, string>> {
  if (rows.length === 0) return new Map()
  const ids = rows.map(({ id }) => id)
  const corrected = await Finding.ownedBy(userId)
    .whereIn('superseded_by', ids)
    .select('id', 'superseded_by')
  return new Map(corrected.map(({ id, supersededBy }) => [supersededBy!, id]))
}

/** Returns whether a finding is current and has not expired. */
export const holds = ({ status, expiresAt }: Finding) =>
  status === 'current' && (!expiresAt || expiresAt.toMillis() > Date.now())
