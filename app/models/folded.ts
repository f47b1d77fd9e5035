import type { DatabaseQueryBuilderContract } from '@adonisjs/lucid/types/querybuilder'
import type { ModelQueryBuilderContract } from '@adonisjs/lucid/types/model'

/** Combining marks, in PostgreSQL's pattern syntax: the accents of a decomposed letter. */
const ACCENTS = '[\\u0300-\\u036f]'

/**
 * Whether a text has only ASCII letters, for which `lower` is enough. Most have, and everything else takes a
 * hundred times as long, row by row.
 */
const IS_ASCII = 'octet_length(??) = length(??)'

/** Letters that do not decompose into a plain letter and an accent, with the plain letters people type. */
const STROKED = { ł: 'l', ø: 'o', đ: 'd', ħ: 'h', ŧ: 't', ı: 'i', ς: 'σ' }

/** The last letter of Latin, Greek, Cyrillic and Armenian, the scripts with capitals. */
const LAST_CASED_LETTER = 0x58f

/** The function added to SQLite connections, whose own `lower` handles only ASCII. */
const FUNCTION = 'mosaic_folded'

/** Removes case and accents: `Élodie` and `ELODIE` both become `elodie`. */
export function folded(text: string): string {
  const bare = text
    .normalize('NFKD')
    .replace(/[\u0300-\u036f]/g, '')
    .toLowerCase()
  return bare.replace(/[łøđħŧıς]/g, (letter) => STROKED[letter as keyof typeof STROKED])
}

/** The part of a better-sqlite3 connection that registers functions. */
interface Extensible {
  function(name: string, options: object, does: (text: unknown) => unknown): unknown
}

/** Registers on a SQLite connection the function that `whereFoldedLike` calls. */
export function addFoldedFunction(connection: Extensible): void {
  connection.function(FUNCTION, { deterministic: true }, (text) =>
    typeof text === 'string' ? folded(text) : null
  )
}

/**
 * Restricts a query to rows with the text in one of the columns, ignoring case and accents. Both databases find
 * the same rows, whatever PostgreSQL's locale.
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
        const any = `lower(translate(${taken}, ?, ?))`
        const sql = `case when ${IS_ASCII} then lower(??) else ${any} end like ? escape '\\'`
        const { from, to } = CAPITALS
        void either.orWhereRaw(sql, [column, column, column, column, ACCENTS, from, to, pattern])
      } else {
        void either.orWhereRaw(`${FUNCTION}(??) like ? escape '\\'`, [column, pattern])
      }
    }
  })
}

/** With the locale C, PostgreSQL's `lower` handles only ASCII; this table covers the rest. */
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
