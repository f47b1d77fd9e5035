import { Child } from '../child.js'
import { newInstallation } from '../environment.js'
import { result, type Result } from '../result.js'
import { PrivatePostgres } from '../../tests/runner/postgres.mjs'

const ROWS = 100_000
const IDLE = 1000
const SELECT_MS = 50

/** Measures how long the reaper takes to find idle agents in a large fleet, on both databases. */
export async function reapGroup(): Promise<Result[]> {
  const postgres = new PrivatePostgres()
  try {
    await postgres.start()
    return [
      await select('reap.select', 'SQLite'),
      await select(
        'reap.select.postgres',
        'PostgreSQL',
        await postgres.newDatabase('mosaic_bench')
      ),
    ]
  } finally {
    await postgres.stop()
  }
}

async function select(id: string, database: string, databaseUrl?: string): Promise<Result> {
  const own = await newInstallation(databaseUrl)
  const running: { stop(): Promise<void> }[] = [{ stop: async () => own.remove() }]
  try {
    const child = await Child.start('reap', { args: [String(ROWS), String(IDLE)], env: own.env })
    running.push(child)
    const { ms, candidates } = await child.ask<{ ms: number; candidates: number }>('select')
    return result({
      id,
      unit: 'ms',
      value: ms,
      target: `<= ${SELECT_MS} ms`,
      ok: ms <= SELECT_MS && candidates === IDLE,
      note: `${candidates} idle agents found with one query among ${ROWS} rows of ${database}`,
    })
  } finally {
    for (const each of running.toReversed()) await each.stop()
  }
}
