import type { PrivatePostgres } from '../../tests/runner/postgres.mjs'

/** What a database has counted since it was created. */
export interface Counted {
  at: number
  statements: number
  /** Read from tables and indexes, whether or not they were of use. */
  rows: number
}

const SQL = `
  select (
    select sum(calls) from pg_stat_statements
    where dbid = (select oid from pg_database where datname = current_database())
  ) as statements, tup_returned as rows
  from pg_stat_database where datname = current_database()`

/** PostgreSQL's own counters: start it with `COUNTING` and call `prepare` once. */
export const COUNTING = ['shared_preload_libraries=pg_stat_statements']

export async function prepareCounters(postgres: PrivatePostgres, url: string): Promise<void> {
  await postgres.ask(url, 'create extension pg_stat_statements')
}

export async function readCounters(postgres: PrivatePostgres, url: string): Promise<Counted> {
  const [row] = await postgres.ask<{ statements: string; rows: string }>(url, SQL)
  return { at: performance.now(), statements: Number(row.statements), rows: Number(row.rows) }
}

/** Returns the counts per second between two readings. */
export function perSecond(from: Counted, to: Counted): Pick<Counted, 'statements' | 'rows'> {
  const seconds = (to.at - from.at) / 1000
  return {
    statements: (to.statements - from.statements) / seconds,
    rows: (to.rows - from.rows) / seconds,
  }
}
