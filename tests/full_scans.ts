import db from '@adonisjs/lucid/services/db'

interface Query {
  sql: string
  bindings?: unknown[]
}

/** Counting all rows for the number of pages has to read them. */
const COUNTS = /^select count\(/

/** Finds queries that read a whole table where an index could serve. Call it within a transaction. */
export class FullScans {
  private constructor(
    /** The queries that were looked at. */
    readonly queries: number,
    /** The queries that read one of the tables from end to end, or sort it. */
    readonly found: string[]
  ) {}

  /** Looks at the plans of the work's queries on these tables. */
  static async of(tables: string[], work: () => Promise<void>): Promise<FullScans> {
    const client = db.connection().getWriteClient()
    const queries: Query[] = []
    const note = (query: Query) => void queries.push(query)
    client.on('query', note)
    await work().finally(() => client.removeListener('query', note))

    const isPostgres = db.connection().dialect.name === 'postgres'
    /** PostgreSQL would rather read and sort a handful of rows, once its statistics say that there are no more. */
    if (isPostgres) {
      await db.rawQuery(`analyze ${tables.join(', ')}`)
      await db.rawQuery('set local enable_seqscan = off')
      await db.rawQuery('set local enable_sort = off')
    }
    const named = queries.filter(
      ({ sql }) =>
        sql.startsWith('select') &&
        tables.some((table) => sql.includes(`"${table}"`) || sql.includes(`\`${table}\``))
    )
    const found: string[] = []
    for (const { sql, bindings = [] } of named) {
      if (COUNTS.test(sql)) continue
      const explain = isPostgres ? 'explain' : 'explain query plan'
      const asked = sql.replace(/\$\d+/g, '?')
      const said = await db.rawQuery(`${explain} ${asked}`, bindings as string[])
      const rows: Record<string, unknown>[] = isPostgres ? said.rows : said
      const plan = rows.map((row) => String(row['QUERY PLAN'] ?? row.detail)).join('\n')
      if (isFull(plan, tables)) found.push(`${sql}\n${plan}`)
    }
    return new FullScans(named.length, found)
  }
}

function isFull(plan: string, tables: string[]): boolean {
  return tables.some((table) =>
    [
      new RegExp(`Seq Scan on ${table}`),
      new RegExp(`SCAN ${table}(?! USING INDEX| USING COVERING INDEX)`),
      /SubPlan|LIST SUBQUERY/,
      /Sort Key|TEMP B-TREE FOR ORDER BY/,
    ].some((sign) => sign.test(plan))
  )
}
