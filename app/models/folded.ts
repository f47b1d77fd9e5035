import type { DatabaseQueryBuilderContract } from '@adonisjs/lucid/types/querybuilder'
import type { ModelQueryBuilderContract } from '@adonisjs/lucid/types/model'

/** Combining marks, as PostgreSQL's patterns name them: a decomposed letter's accents. */
const ACCENTS = '[\\u0300-\\u036f]'

/** Letters that do not come apart into a plain one and its accent, and the plain ones people type. */
const STROKED = { ł: 'l', ø: 'o', đ: 'd', ħ: 'h', ŧ: 't', ı: 'i', ς: 'σ' }

/** The last letter of Latin, Greek, Cyrillic and Armenian, the scripts with capitals. */
const LAST_CASED_LETTER = 0x58f

/** The name of the function of SQLite's connections, whose own `lower` knows ASCII alone. */
const FUNCTION = 'mosaic_folded'

/** A text without case and accents: `Élodie` and `ELODIE` are both `elodie`. */
export function folded(text: string): string {
  const bare = text
    .normalize('NFKD')
    .replace(/[\u0300-\u036f]/g, '')
    .toLowerCase()
  return bare.replace(/[łøđħŧıς]/g, (letter) => STROKED[letter as keyof typeof STROKED])
}

/** As much of a connection of better-sqlite3 as is needed to give it a function. */
interface Extensible {
  function(name: string, options: object, does: (text: unknown) => unknown): unknown
}

/** Gives a connection of SQLite the function that `whereFoldedLike` calls there. */
export function addFoldedFunction(connection: Extensible): void {
  connection.function(FUNCTION, { deterministic: true }, (text) =>
    typeof text === 'string' ? folded(text) : null
  )
}

/**
 * Restricts a query to rows of which one column contains the text, whatever the case and the accents of
 * either. Both databases find the same, whatever locale PostgreSQL was set up with.
 */
export function whereContains(
  query: ModelQueryBuilderContract<any, any> | DatabaseQueryBuilderContract,
  columns: string[],
  text: string
): void {
  const pattern = `%${folded(text).replace(/[\\%_]/g, '\\$&')}%`
  const isPostgres = query.client.dialect.name === 'postgres'
  void query.where((either: typeof query) => {
    for (const column of columns) {
      if (isPostgres) {
        const taken = `regexp_replace(normalize(??, NFKD), ?, '', 'g')`
        const sql = `lower(translate(${taken}, ?, ?)) like ? escape '\\'`
        void either.orWhereRaw(sql, [column, ACCENTS, CAPITALS.from, CAPITALS.to, pattern])
      } else {
        void either.orWhereRaw(`${FUNCTION}(??) like ? escape '\\'`, [column, pattern])
      }
    }
  })
}

/** PostgreSQL's `lower` knows ASCII alone where the database's locale is C, so it is told the rest. */
const CAPITALS = capitals()

function capitals(): { from: string; to: string } {
  let from = Object.keys(STROKED).join('')
  let to = Object.values(STROKED).join('')
  for (let code = 0x80; code <= LAST_CASED_LETTER; code++) {
    const letter = String.fromCharCode(code)
    const small = folded(letter)
    if (letter.normalize('NFKD') === letter && letter !== small && !from.includes(letter)) {
      if (small.length !== 1) continue
      from += letter
      to += small
    }
  }
  return { from, to }
}
