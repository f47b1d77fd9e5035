import { setTimeout as after } from 'node:timers/promises'
import { Child } from '../child.js'
import { newInstallation } from '../environment.js'
import type { GroupOptions } from '../options.js'
import { percentile, result, type Result } from '../result.js'
import { AWAKE_SHARE, IDLE_MIN, type ScaleOrders } from '../scale/orders.js'
import {
  COUNTING,
  perSecond,
  prepareCounters,
  readCounters,
  type Counted,
} from '../scale/database_counters.js'
import { PrivatePostgres } from '../../tests/runner/postgres.mjs'

const SIZES = [1000, 10_000, 100_000]
const QUICK_SIZES = [500, 2000, 8000]
/** Above, an installation has several replicas, and thus PostgreSQL. */
const LARGEST_SQLITE = 10_000
const DAY_SEC = 60
const QUICK_DAY_SEC = 20
/** A connection of PostgreSQL tells what it counted once it was idle for ten seconds. */
const UNTOLD_MS = 12_000
/** Messages of a visit: each wake begins one. */
const CHATS_PER_WAKE = 5
/** Fewer would say nothing of the slowest twentieth. */
const LEAST_PER_SEC = 1
/** Figures below these are noise, or an interval of the sweeps: milliseconds, pages and seconds. */
const NOISE: Record<string, number> = { 'ms': 20, 'CPU ms': 20, 'pages': 200, 's': 95 }
/** An index of ten times the rows has a little more than ten times the pages: those of its upper levels. */
const UPPER_LEVELS = 1.05

export interface ScaleFacts {
  url: string
  /** Access tokens of people whose agents are awake. */
  tokens: string[]
  /** From the start of the process to its listener, with the compiler of this run. */
  start: { ms: number; cpuMs: number }
}

/** One run of recurring work. */
export interface Sweep {
  ms: number
  /** Processor time of Mosaic, without PostgreSQL's. */
  cpuMs: number
  queries: number
  /** Pages of tables and indexes that PostgreSQL touched; 0 for SQLite. */
  blocks: number
}

export interface DayFigures {
  /** Milliseconds of each wake. */
  wakes: number[]
  failed: number
  /** Statements of this process. */
  queriesPerSec: number
  /** Time without a turn for others, 99 of 100. */
  blockedMs: number
  /** Processor time per second. */
  cpuShare: number
  /** Bytes in use on and off the heap. */
  heldBytes: number
  residentBytes: number
  /** Microseconds of `ensureRunning` of an awake agent, 95 of 100. */
  ensureUs: number
  /** Seconds that an idle agent ran beyond its limit, at most. */
  reapLagSec: number
  /** Seconds until a lost instance was noticed. */
  reconcileLagSec: number
}

interface Step {
  users: number
  seedSec: number
  start: ScaleFacts['start']
  sweeps: Record<string, Sweep>
  day: DayFigures
  chats: number[]
  /** Per second, at the database; null if it does not count. */
  counted: Pick<Counted, 'statements' | 'rows'> | null
}

/**
 * Measures the control plane over fleets of growing size, with a tenth of the agents awake and people who come
 * and go as during a day's busiest hours.
 */
export async function scaleGroup({ quick }: GroupOptions): Promise<Result[]> {
  const sizes = quick ? QUICK_SIZES : SIZES
  const seconds = quick ? QUICK_DAY_SEC : DAY_SEC
  const postgres = new PrivatePostgres(COUNTING)
  const gateways = await Child.start<{ port: number }>('scale_gateways')
  try {
    await postgres.start()
    const results: Result[] = []
    for (const [kind, name] of [
      ['postgres', ''],
      ['sqlite', '.sqlite'],
    ]) {
      const steps: Step[] = []
      for (const users of sizes) {
        if (kind === 'sqlite' && users > LARGEST_SQLITE) continue
        const database = kind === 'postgres' ? await counting(postgres, users) : undefined
        steps.push(await measure(users, seconds, gateways.ready.port, database))
        process.stderr.write(`${kind}: ${told(steps.at(-1)!)}\n`)
      }
      results.push(...figures(steps, name))
    }
    return results
  } finally {
    await gateways.stop()
    await postgres.stop()
  }
}

/** A database that counts, and how to read its counts. */
interface CountingDatabase {
  url: string
  read(): Promise<Counted>
}

async function counting(postgres: PrivatePostgres, users: number): Promise<CountingDatabase> {
  const url = await postgres.newDatabase(`scale_${users}`)
  await prepareCounters(postgres, url)
  return { url, read: () => readCounters(postgres, url) }
}

async function measure(
  users: number,
  seconds: number,
  gatewayPort: number,
  database?: CountingDatabase
): Promise<Step> {
  const own = await newInstallation(database?.url)
  const orders: ScaleOrders = { users, awake: Math.round(users * AWAKE_SHARE), gatewayPort }
  const args = [JSON.stringify(orders)]
  const running: { stop(): Promise<void> | void }[] = [{ stop: () => own.remove() }]
  try {
    const seeding = await Child.start('scale_seed', { args, env: own.env })
    const seedSec = await seeding.ask<number>('fill').finally(() => seeding.stop())
    const mosaic = await Child.start('mosaic_at_scale', { args, env: own.env })
    running.push(mosaic)
    const { url, tokens, start } = await mosaic.ask<ScaleFacts>('prepare')
    const sweeps = await mosaic.ask<Record<string, Sweep>>('sweeps')

    /** Each agent that wakes is idle after its limit, so as many wake as become idle. */
    const perSec = Math.max(LEAST_PER_SEC, orders.awake / (IDLE_MIN * 60))
    if (database) await after(UNTOLD_MS)
    const before = await database?.read()
    const chatting = chat(url, tokens, seconds, perSec * CHATS_PER_WAKE)
    const day = await mosaic.ask<DayFigures>('day', { seconds, wakesPerSec: perSec })
    const chats = await chatting
    const counted = before ? perSecond(before, await database!.read()) : null
    return { users, seedSec, start, sweeps, day, chats, counted }
  } finally {
    for (const each of running.toReversed()) await each.stop()
  }
}

/** Sends messages to awake agents at this pace. Returns the milliseconds until each answer began. */
async function chat(
  url: string,
  tokens: string[],
  seconds: number,
  perSec: number
): Promise<number[]> {
  const times: number[] = []
  const under: Promise<void>[] = []
  const startedAt = performance.now()
  for (let sent = 0; sent < seconds * perSec; sent++) {
    const dueMs = (sent * 1000) / perSec - (performance.now() - startedAt)
    if (dueMs > 0) await after(dueMs)
    under.push(send(tokens[sent % tokens.length]))
  }
  await Promise.all(under)
  return times

  async function send(token: string): Promise<void> {
    const sentAt = performance.now()
    const response = await fetch(`${url}/v1/chat/completions`, {
      method: 'POST',
      headers: { 'authorization': `Bearer ${token}`, 'content-type': 'application/json' },
      body: '{"model":"openclaw","stream":true,"messages":[{"role":"user","content":"Hello"}]}',
    })
    if (!response.ok) throw new Error(`A chat was answered with ${response.status}`)
    times.push(performance.now() - sentAt)
    await response.arrayBuffer()
  }
}

function figures(steps: Step[], suffix: string): Result[] {
  const each = (
    id: string,
    unit: string,
    value: (step: Step) => number | undefined,
    note: (step: Step) => string = () => ''
  ) =>
    steps.flatMap((step, index) => {
      const now = value(step)
      if (now === undefined) return []
      const before = index > 0 ? value(steps[index - 1]) : undefined
      const grown = index > 0 ? step.users / steps[index - 1].users : 1
      const small = now <= (NOISE[unit] ?? 0)
      return [
        result({
          id: `scale.${id}.${step.users}${suffix}`,
          unit,
          value: now,
          baseline: before,
          target: before === undefined ? undefined : `<= ${grown} times the step before`,
          ok: before === undefined || small || now <= before * grown * UPPER_LEVELS,
          note: note(step) || undefined,
        }),
      ]
    })
  const sweeps = Object.keys(steps[0].sweeps)
  const megabytes = (bytes: number) => bytes / 1024 / 1024
  return [
    ...each('queries', '1/s', ({ counted, day }) => counted?.statements ?? day.queriesPerSec, told),
    ...each('rows', '1/s', ({ counted }) => counted?.rows),
    ...each('cpu', 's/s', ({ day }) => day.cpuShare),
    ...each(
      'memory',
      'MB',
      ({ day }) => megabytes(day.heldBytes),
      ({ day }) =>
        `${megabytes(day.residentBytes).toFixed(0)} MB resident, with the compiler of this run`
    ),
    ...each('blocked', 'ms', ({ day }) => day.blockedMs),
    ...each(
      'start',
      'CPU ms',
      ({ start }) => start.cpuMs,
      ({ start }) => `${(start.ms / 1000).toFixed(1)} s`
    ),
    ...each('ensure.p95', 'µs', ({ day }) => day.ensureUs),
    ...each('wake.p95', 'ms', ({ day }) => percentile(day.wakes, 0.95)),
    ...each('reap.lag', 's', ({ day }) => day.reapLagSec),
    ...each('reconcile.lag', 's', ({ day }) => day.reconcileLagSec),
    ...each('chat.p95', 'ms', ({ chats }) => percentile(chats, 0.95)),
    ...sweeps.flatMap((name) => [
      ...each(
        name,
        'CPU ms',
        ({ sweeps: { [name]: sweep } }) => sweep.cpuMs,
        ({ sweeps: { [name]: sweep } }) => `${sweep.queries} queries, ${sweep.ms.toFixed(0)} ms`
      ),
      ...each(
        `${name}.blocks`,
        'pages',
        ({ sweeps: { [name]: sweep } }) => sweep.blocks || undefined
      ),
    ]),
  ]
}

function told({ users, seedSec, day, chats }: Step): string {
  return (
    `${users} users, ${Math.round(users * AWAKE_SHARE)} awake, stored in ${seedSec.toFixed(1)} s; ` +
    `${day.wakes.length} wakes, ${day.failed} failed, ${chats.length} chats`
  )
}
