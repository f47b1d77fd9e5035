import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { RuntimeFinding } from '#runtimes/contract'

/** An OpenClaw timer that costs an idle agent time or its next answer. */
interface IdleTimer {
  /** The delay OpenClaw sets, in milliseconds. */
  delayMs: number
  /** Prefix of the file name of the chunk that sets it. */
  chunk: string
  /** The delay as written in the chunk, if known: shows whether a version still has the timer. */
  constant?: string
  /** The function that sets it; named if others in the chunk might use the same delay. */
  setter?: string
}

/**
 * After a minute without a chat the gateway stops two worker threads, and the next chat waits seconds of CPU
 * time for their restart. Others stop after half an hour. A monitor samples the event loop fifty times a second,
 * for a health report that Mosaic does not read; it takes half of an idle gateway's CPU time. OpenClaw 2026.9.6
 * has no settings for these.
 */
const IDLE_TIMERS: IdleTimer[] = [
  {
    delayMs: 60_000,
    chunk: 'server-worker-placement-startup-',
    constant: 'WORKER_PLACEMENT_RECONCILE_INTERVAL_MS = 6e4',
  },
  { delayMs: 60_000, chunk: 'openclaw-agent-execution-', constant: 'IDLE_EXECUTION_MS = 6e4' },
  { delayMs: 1_800_000, chunk: 'session-transcript-worker-runtime-' },
  { delayMs: 1_800_000, chunk: 'openclaw-agent-db-' },
  { delayMs: 1_800_000, chunk: 'openclaw-state-db-' },
  { delayMs: 1_800_000, chunk: 'worker-task-pool-' },
  { delayMs: 1_800_000, chunk: 'sqlite-coordinator-' },
  {
    delayMs: 20,
    chunk: 'server-start-',
    constant: 'EVENT_LOOP_MONITOR_RESOLUTION_MS = 20',
    setter: 'createGatewayEventLoopHealthMonitor',
  },
]

/** A day: agents idle for longer are stopped anyway. */
const KEPT_MS = 24 * 60 * 60_000

/** How a stack trace shows who set the timer. */
function traceOf({ chunk, setter }: IdleTimer): string {
  return setter ? `at ${setter} ` : `/${chunk}`
}

/**
 * A module for `node --import` that extends the gateway's idle timers to a day. It recognizes them by delay
 * and stack trace, and leaves other timers, chunks and threads alone.
 */
export const keptTimersModule = `import { isMainThread } from 'node:worker_threads'

const TIMERS = ${JSON.stringify(IDLE_TIMERS.map((timer) => [timer.delayMs, traceOf(timer)]))}

function kept(delay) {
  if (!TIMERS.some(([known]) => known === delay)) return delay
  const { stack } = new Error()
  return TIMERS.some(([known, trace]) => known === delay && stack.includes(trace)) ? ${KEPT_MS} : delay
}

if (isMainThread) {
  for (const name of ['setTimeout', 'setInterval']) {
    const original = globalThis[name]
    const set = (callback, delay, ...values) => original(callback, kept(delay), ...values)
    globalThis[name] = Object.defineProperties(set, Object.getOwnPropertyDescriptors(original))
  }
}
`

/**
 * Checks whether the module works for the OpenClaw package in a folder: another version may set other timers.
 */
export async function examineTimers(openclaw: string): Promise<RuntimeFinding[]> {
  const dist = join(openclaw, 'dist')
  const names = await readdir(dist)
  const hasTimer = async ({ chunk, constant, setter = '' }: IdleTimer) => {
    if (!constant) return true
    const chunks = names.filter((name) => name.startsWith(chunk))
    const texts = await Promise.all(chunks.map((name) => readFile(join(dist, name), 'utf8')))
    return texts.some((text) => text.includes(constant) && text.includes(setter))
  }
  const has = await Promise.all(IDLE_TIMERS.map(hasTimer))
  return has.every(Boolean) ? [] : [OTHER_TIMERS]
}

const OTHER_TIMERS: RuntimeFinding = {
  severity: 'warning',
  code: 'openclaw_other_timers',
  message: 'This OpenClaw sets timers of idle agents that Mosaic does not know.',
  hint: 'An idle agent may take more processor time, and answer some seconds later. Install the version that docker/agent/package.json pins.',
}
