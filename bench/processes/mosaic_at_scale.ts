/**
 * Mosaic's web process over a large fleet in memory, with all its background work, and a second replica's
 * heartbeat beside it, so that it does what replicas owe each other.
 */
import 'reflect-metadata'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { setTimeout as after } from 'node:timers/promises'
import type { ReplicaRegistry } from '#agents/replicas/replica_registry'
import { answerQuestions } from '../answering.js'
import { percentile } from '../result.js'
import { scaleDriver } from '../scale/driver.js'
import { SweepClock } from '../scale/sweep_clock.js'
import { agentAt, endpointAt, IDLE_MIN, nameAt, RUNTIME, userIdOf } from '../scale/orders.js'
import type { ScaleOrders } from '../scale/orders.js'
import type { DayFigures, ScaleFacts, Sweep } from '../groups/scale.js'
import { webProcess } from '../web_process.js'

const orders = JSON.parse(process.argv[2]) as ScaleOrders

/** People who chat, one after the other. */
const CHATTING = 300
/** Shorter than a lease, so that the replica counts as alive. */
const HEARTBEAT_MS = 2000
/** Share of awake agents whose owner has the page open. */
const WATCHED_SHARE = 0.5
const ROUNDS = 3
/** How often it is looked whether a lost instance was noticed, and for how many seconds at most. */
const NOTICE_MS = 500
const MOST_NOTICE_SEC = 180
const NANOSECONDS = 1e6

const clock = new SweepClock()
const driver = scaleDriver(orders)
const app = await webProcess(async ({ container }) => {
  const runtimes = await container.make('runtime.manager')
  runtimes.extend(RUNTIME, async () => driver)
  Object.assign(await container.make('agents.context'), { clock })
})
const { default: db } = await import('@adonisjs/lucid/services/db')
const { default: User } = await import('#models/user')
const { agentOf } = await import('#agents/state/agent_repository')
const services = await app.container.make('agents.services')
const reconciler = await app.container.make('agents.reconciler')
const { lifecycle, local } = services
const atStart = process.cpuUsage()
const start = { ms: process.uptime() * 1000, cpuMs: (atStart.user + atStart.system) / 1000 }

const other = { id: 'other', heartbeat: 0, created_at: new Date(), updated_at: new Date() }
await db.table('replicas').insert(other)
setInterval(() => void beat(), HEARTBEAT_MS).unref()
async function beat(): Promise<void> {
  await db
    .from('replicas')
    .where('id', other.id)
    .update({ heartbeat: db.raw('heartbeat + 1') })
}

/** As after a day: each awake agent was asked for, and half of their pages are open. */
async function prepare(): Promise<ScaleFacts> {
  const { awake, gatewayPort } = orders
  const agents = Array.from({ length: awake }, (_, index) => agentAt(index))
  const rows = new Map((await services.rows.findMany(agents)).map((row) => [agentOf(row), row]))
  for (const [index, agent] of agents.entries()) {
    const token = (await rows.get(agent)!.open('gatewayToken'))!
    local.warm.set(agent, { url: endpointAt(index, gatewayPort), token })
    local.names.set(nameAt(index), agent)
    if (index % (1 / WATCHED_SHARE) === 0) lifecycle.subscribe(agent, () => {})
  }
  const chatters = Math.min(CHATTING, awake)
  const tokens: string[] = []
  for (let index = 0; index < chatters; index++) {
    const user = await User.findOrFail(userIdOf(index))
    tokens.push((await User.accessTokens.create(user)).value!.release())
  }
  /** Learns of the other one at once. */
  const { replicas } = await app.container.make('agents.context')
  await (replicas as ReplicaRegistry).heartbeat()
  return { url: `http://127.0.0.1:${process.env.PORT}`, tokens, start }
}

let queries = 0
const { dialect } = db.connection()
db.connection()
  .getWriteClient()
  .on('query', () => queries++)

/** Pages of its tables and indexes that PostgreSQL has touched for this process's statements. */
async function blocksTouched(): Promise<number> {
  if (dialect.name !== 'postgres') return 0
  const { rows } = await db.rawQuery(
    `select sum(shared_blks_hit + shared_blks_read) as blocks from pg_stat_statements
     where dbid = (select oid from pg_database where datname = current_database())
       and query not like '%pg_stat_statements%'`
  )
  return Number(rows[0].blocks)
}

/** Runs it a few times and returns the least of each figure: a replica's own work goes on beside it. */
async function sweep(run: () => Promise<unknown>): Promise<Sweep> {
  const all: Sweep[] = []
  for (let round = 0; round < ROUNDS; round++) {
    const blocksBefore = await blocksTouched()
    const queriesBefore = queries
    const cpuBefore = process.cpuUsage()
    const startedAt = performance.now()
    await run()
    const ms = performance.now() - startedAt
    const cpu = process.cpuUsage(cpuBefore)
    const done = queries - queriesBefore
    const blocks = (await blocksTouched()) - blocksBefore
    all.push({ ms, cpuMs: (cpu.user + cpu.system) / 1000, queries: done, blocks })
  }
  const least = (name: keyof Sweep) => Math.min(...all.map((each) => each[name]))
  return {
    ms: least('ms'),
    cpuMs: least('cpuMs'),
    queries: least('queries'),
    blocks: least('blocks'),
  }
}

async function sweeps(): Promise<Record<string, Sweep>> {
  clock.hold()
  try {
    return await measureSweeps()
  } finally {
    clock.release()
  }
}

async function measureSweeps(): Promise<Record<string, Sweep>> {
  const { container } = app
  const reaper = await container.make('agents.reaper')
  const rester = await container.make('agents.rester')
  const health = await container.make('agents.health_check')
  const gauges = await container.make('agents.gauges')
  const users = await container.make('identity.users')
  const agents = await container.make('agents.directory')
  const usage = await container.make('usage.report')
  const { EarlyWakes } = await import('#agents/background/early_wakes')
  const { ReplicaSync } = await import('#agents/state/replica_sync')
  const context = await container.make('agents.context')
  const early = new EarlyWakes(context, services.backgroundWakes, rester)
  const activity = await container.make('agents.activity')
  const sync = new ReplicaSync(context, {
    ...{ rows: services.rows, local, activity },
    wakes: services.sharedWakes.registry,
  })
  let asleep = orders.users
  let awake = asleep
  const last = Math.ceil(orders.users / 50)
  const admin = { id: userIdOf(0) }
  const to = new Date().toISOString().slice(0, 10)
  const from = new Date(Date.now() - 2 * 86_400_000).toISOString().slice(0, 10)
  return {
    'wake.one': await sweep(() => lifecycle.ensureRunning(agentAt(--asleep))),
    'stop.one': await sweep(() => lifecycle.stop(agentAt(--awake))),
    'reconcile': await sweep(() => reconciler.reconcile()),
    /** To find what is idle; what it then stops costs `stop.one` each. */
    'reap': await sweep(() => reaper.candidates()),
    'rest': await sweep(() => rester.rest()),
    'health': await sweep(() => health.healthCheckAll()),
    'early': await sweep(() => early.sweep()),
    'sync': await sweep(() => sync.look()),
    'gauges': await sweep(() => gauges()),
    'list.users': await sweep(() => users.list({ page: 1, limit: 50 })),
    'list.users.last': await sweep(() => users.list({ page: last, limit: 50 })),
    'list.search': await sweep(() => users.list({ page: 1, limit: 50, search: 'person 77' })),
    'list.agents': await sweep(() => agents.list({ page: 1, limit: 50 })),
    'list.running': await sweep(() => agents.list({ page: 1, limit: 50, status: 'running' })),
    'usage': await sweep(() => usage.usage({ from, to } as never, admin)),
  }
}

/** Lets agents wake at this pace. What is idle is reaped by Mosaic's own sweeps. */
async function day({
  seconds,
  wakesPerSec,
}: {
  seconds: number
  wakesPerSec: number
}): Promise<DayFigures> {
  const delay = monitorEventLoopDelay({ resolution: 5 })
  delay.enable()
  const queriesBefore = queries
  const wakes: number[] = []
  let failed = 0
  const under: Promise<void>[] = []
  const reconcileLag = noticed(orders.awake - 1)
  const count = Math.ceil(seconds * wakesPerSec)
  const startedAt = performance.now()
  const cpuBefore = process.cpuUsage()
  for (let done = 0; done < count; done++) {
    const dueMs = (done * 1000) / wakesPerSec - (performance.now() - startedAt)
    if (dueMs > 0) await after(dueMs)
    under.push(wake(orders.awake + done))
  }
  await Promise.all(under)
  await after(Math.max(0, seconds * 1000 - (performance.now() - startedAt)))
  delay.disable()
  const cpu = process.cpuUsage(cpuBefore)
  const elapsedSec = (performance.now() - startedAt) / 1000
  return {
    wakes,
    failed,
    queriesPerSec: (queries - queriesBefore) / elapsedSec,
    blockedMs: delay.percentile(99) / NANOSECONDS,
    cpuShare: (cpu.user + cpu.system) / 1e6 / elapsedSec,
    heldBytes: heldBytes(),
    residentBytes: process.memoryUsage.rss(),
    ensureUs: ensureUs(),
    reapLagSec: await reapLagSec(),
    reconcileLagSec: await reconcileLag,
  }

  async function wake(index: number): Promise<void> {
    const askedAt = performance.now()
    try {
      await lifecycle.ensureRunning(agentAt(index))
      wakes.push(performance.now() - askedAt)
    } catch {
      failed++
    }
  }
}

/** Seconds by which the running agent that is idle longest has outlived its limit. */
async function reapLagSec(): Promise<number> {
  const { default: UserContainer } = await import('#models/user_container')
  const oldest = await UserContainer.query()
    .where('status', 'running')
    .orderBy('last_active_at')
    .firstOrFail()
  const idleSec = (Date.now() - oldest.lastActiveAt!.toMillis()) / 1000
  return Math.max(0, idleSec - IDLE_MIN * 60)
}

/** Seconds until Mosaic knows that an agent's instance is gone, which no event tells. */
async function noticed(index: number): Promise<number> {
  const goneAt = performance.now()
  await driver.remove({ name: nameAt(index), state: null })
  for (;;) {
    await after(NOTICE_MS)
    const seconds = (performance.now() - goneAt) / 1000
    const [{ status }] = await db
      .from('user_containers')
      .select('status')
      .where('user_id', userIdOf(index))
    if (status !== 'running' || seconds > MOST_NOTICE_SEC) return seconds
  }
}

/** Bytes in use on and off the heap, after a garbage collection. */
function heldBytes(): number {
  globalThis.gc!()
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}

/** Microseconds of `ensureRunning` for awake agents, 95 of 100: in batches, as one takes less than the clock tells. */
function ensureUs(): number {
  const samples: number[] = []
  const agents = Array.from({ length: Math.min(1000, orders.awake) }, (_, i) => agentAt(i))
  for (let round = 0; round < 200; round++) {
    const startedAt = performance.now()
    for (const agent of agents) void lifecycle.ensureRunning(agent).catch(() => {})
    samples.push(((performance.now() - startedAt) * 1000) / agents.length)
  }
  return percentile(samples, 0.95)
}

const ANSWERS: Record<string, (input: never) => unknown> = { prepare, sweeps, day }

answerQuestions(ANSWERS, {})
