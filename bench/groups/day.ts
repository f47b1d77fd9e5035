import { Child } from '../child.js'
import type { Measured } from '../day/fleet.js'
import { newInstallation } from '../environment.js'
import type { GroupOptions } from '../options.js'
import { median, percentile, result, type Result } from '../result.js'

/** What OpenClaw took, in milliseconds: see `docs/benchmarks.md`. */
const MEASURED: Measured = { coldMs: 20_000, idleMs: 800, restedMs: 1550 }

const AGENTS = 20
const IDLE_MIN = 5
const PROMPT_MS = 2000

export interface DayOrders {
  agents: number
  /** Idle minutes until an agent stops, or rests. */
  idleMin: number
  rest: boolean
  minutes: number
  /** How many times as fast as the machine's clock time passes. */
  factor: number
  measured: Measured
}

export interface DayFigures {
  /** Milliseconds from Enter to the first token, for each message. */
  waits: number[]
  /** Gigabytes resident, each minute. */
  heldGb: number[]
  /** How often an agent started. */
  starts: number
}

/**
 * Measures how many messages are answered promptly in an hour of twenty people who come back every few minutes:
 * with agents that stop when idle, and with agents that rest.
 */
export async function dayGroup({ quick }: GroupOptions): Promise<Result[]> {
  const length = { minutes: 60, factor: quick ? 30 : 15 }
  const before = await live({ ...length, rest: false })
  const after = await live({ ...length, rest: true })
  const share = ({ waits }: DayFigures) =>
    (100 * waits.filter((ms) => ms <= PROMPT_MS).length) / waits.length
  return [
    result({
      id: 'day.prompt',
      unit: '%',
      value: share(after),
      baseline: share(before),
      target: 'more than with agents that stop when idle',
      ok: share(after) > share(before),
      note:
        `${AGENTS} agents for ${length.minutes} min, idle after ${IDLE_MIN}: messages answered within ` +
        `${PROMPT_MS / 1000} s, resting; baseline stopping. ${told('stopping', before)}; ${told('resting', after)}`,
    }),
  ]
}

async function live(given: Pick<DayOrders, 'minutes' | 'factor' | 'rest'>): Promise<DayFigures> {
  const own = await newInstallation()
  const orders = { ...given, agents: AGENTS, idleMin: IDLE_MIN, measured: MEASURED }
  try {
    const child = await Child.start('mosaic_day', { args: [JSON.stringify(orders)], env: own.env })
    try {
      return await child.ask<DayFigures>('live')
    } finally {
      await child.stop()
    }
  } finally {
    own.remove()
  }
}

function told(name: string, { waits, heldGb, starts }: DayFigures): string {
  const seconds = (ms: number) => (ms / 1000).toFixed(1)
  return (
    `${name}: ${waits.length} messages, half within ${seconds(median(waits))} s, ` +
    `95 % within ${seconds(percentile(waits, 0.95))} s, ${starts} starts, ` +
    `at most ${Math.max(...heldGb).toFixed(1)} GB`
  )
}
