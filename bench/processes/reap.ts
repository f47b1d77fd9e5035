/** The reaper over a large fleet: creates rows and times its select; stops nothing. */
import 'reflect-metadata'
import { DateTime } from 'luxon'
import { consoleApp } from '../console_app.js'
import { median } from '../result.js'

const [total, idle] = process.argv.slice(2).map(Number)

const ROUNDS = 20
/** Rows per statement: the most that SQLite accepts. */
const BATCH = 500
/** Of the agents that are not idle, the share that runs and was used within the last half hour. */
const AWAKE_SHARE = 0.1

const app = await consoleApp()

const { default: db } = await import('@adonisjs/lucid/services/db')
const { dateTimeFormat } = db.connection().dialect
const ago = (minutes: number) => DateTime.now().minus({ minutes }).toFormat(dateTimeFormat)

function container(index: number) {
  const isIdle = index < idle
  const isAwake = isIdle || index % Math.round(1 / AWAKE_SHARE) === 0
  return {
    id: `container-${index}`,
    user_id: `user-${index}`,
    container_name: `mosaic-user-${index}`,
    idle_timeout_min: 30,
    status: isAwake ? 'running' : 'stopped',
    desired: isAwake ? 'running' : 'stopped',
    last_active_at: isIdle ? ago(31 + (index % 600)) : ago(isAwake ? index % 29 : 60 + index),
    created_at: ago(0),
    updated_at: ago(0),
  }
}

for (let from = 0; from < total; from += BATCH) {
  const indices = Array.from({ length: Math.min(BATCH, total - from) }, (_, i) => from + i)
  const users = indices.map((index) => ({
    id: `user-${index}`,
    email: `${index}@example.test`,
    name: `${index}`,
    role: 'member',
    created_at: ago(0),
    updated_at: ago(0),
  }))
  await db.table('users').multiInsert(users)
  await db.table('user_containers').multiInsert(indices.map(container))
}
/** A database does this by itself once it has this many rows. */
await db.rawQuery('ANALYZE')

const reaper = await app.container.make('agents.reaper')

async function select(): Promise<{ ms: number; candidates: number }> {
  const times: number[] = []
  let candidates = 0
  for (let round = 0; round < ROUNDS; round++) {
    const startedAt = performance.now()
    candidates = (await reaper.candidates()).length
    times.push(performance.now() - startedAt)
  }
  return { ms: median(times), candidates }
}

process.on('message', async ({ id }: { id: number }) => {
  process.send!({ id, answer: await select() })
})
process.on('SIGTERM', () => app.terminate().then(() => process.exit()))
process.on('disconnect', () => process.exit())
process.send!({ ready: {} })
