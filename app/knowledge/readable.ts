import { E_DATA_KEY_GONE } from '#vaults/errors'

/**
 * Maps rows to what they hold. Leaves out and counts the rows whose data key is lost, so that they do not hide the
 * others.
 *
 * @throws E_VAULT_TAMPERED
 */
export function readable<Row, View>(
  rows: Row[],
  view: (row: Row) => View
): { views: View[]; unreadable: number } {
  const views: View[] = []
  for (const row of rows) {
    try {
      views.push(view(row))
    } catch (error) {
      if (!(error instanceof E_DATA_KEY_GONE)) throw error
    }
  }
  return { views, unreadable: rows.length - views.length }
}
