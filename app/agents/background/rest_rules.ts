import type { AgentsContext } from '#agents/context'
import type { AgentKey } from '#agents/types'
import type { RestMode, WakePolicy } from '#models/types'
import type { MachineMemory, MemoryUse } from '#runtimes/contract'

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS
const MB = 1024 * 1024

/** Below this share of available memory no further agent rests by itself. */
const COMFORT = 0.25
/** Below this share rested agents are stopped, until there is as much as `RELIEF`. */
const PRESSURE = 0.1
const RELIEF = 0.15
/** What an idle OpenClaw takes, where its driver does not tell. */
const USUAL_BYTES = 700 * MB

/** The rules of resting, from the settings. Times in milliseconds. */
export interface RestRules {
  mode: RestMode
  /** The policy for agents whose owners have not chosen one. */
  policy: WakePolicy
  /** Idle time until the rest, and from there until the page-out. */
  afterMs: number
  pageOutAfterMs: number
  /** The longest rest. */
  longestMs: number
  /** The share of the machine's memory that rested agents may hold, or their bytes in its place. */
  memoryShare: number
  memoryBytes: number | null
  count: number | null
}

/** A suspended agent, and what it takes; null if that is not known. */
export interface Rested {
  agent: AgentKey
  /** Milliseconds of the epoch. */
  lastActiveAt: number
  use: MemoryUse | null
}

export async function restRules(settings: AgentsContext['settings']): Promise<RestRules> {
  const megabytes = await settings.get('agents.restMemoryMb')
  return {
    mode: await settings.get('agents.rest'),
    policy: await settings.get('agents.wakePolicy'),
    afterMs: (await settings.get('agents.restAfterMin')) * MINUTE_MS,
    pageOutAfterMs: (await settings.get('agents.pageOutAfterMin')) * MINUTE_MS,
    longestMs: (await settings.get('agents.restHours')) * HOUR_MS,
    memoryShare: (await settings.get('agents.restMemoryPercent')) / 100,
    memoryBytes: megabytes === null ? null : megabytes * MB,
    count: await settings.get('agents.restCount'),
  }
}

/** What all rested agents hold in memory, in bytes. */
export function heldBytes(rested: Rested[]): number {
  return rested.reduce((sum, one) => sum + bytesOf(one), 0)
}

/** What they may hold, in bytes; null if nothing bounds it, as on a machine whose memory is not known. */
export function budgetBytes(rules: RestRules, machine: MachineMemory | null): number | null {
  return rules.memoryBytes ?? (machine && Math.floor(machine.total * rules.memoryShare))
}

/**
 * How many more agents may rest. `auto` needs to know the machine's memory, and leaves a quarter of it to programs
 * that run.
 */
export function roomFor(rules: RestRules, machine: MachineMemory | null, rested: Rested[]): number {
  const { mode, count } = rules
  if (mode === 'off') return 0
  const spare = machine ? machine.available - COMFORT * machine.total : null
  if (mode === 'auto' && (spare === null || spare < 0)) return 0
  const budget = budgetBytes(rules, machine)
  const each = rested.length > 0 ? Math.max(1, heldBytes(rested) / rested.length) : USUAL_BYTES
  const byMemory = budget === null ? Infinity : Math.floor((budget - heldBytes(rested)) / each)
  const byCount = count === null ? Infinity : count - rested.length
  return Math.max(0, Math.min(byMemory, byCount))
}

/** The rested agents to stop for want of memory or by the settings, the longest unused first. */
export function surplus(
  rules: RestRules,
  machine: MachineMemory | null,
  rested: Rested[]
): Rested[] {
  const left = rested.toSorted((a, b) => a.lastActiveAt - b.lastActiveAt)
  const most = rules.count ?? Infinity
  const budget = budgetBytes(rules, machine) ?? Infinity
  const { total, available } = machine ?? { total: 0, available: 0 }
  const wanted = available < PRESSURE * total ? RELIEF * total : available

  const stopped: Rested[] = []
  let freed = 0
  const isOver = () => left.length > most || heldBytes(left) > budget || available + freed < wanted
  while (left.length > 0 && isOver()) {
    const longest = left.shift()!
    stopped.push(longest)
    freed += bytesOf(longest)
  }
  return stopped
}

function bytesOf({ use }: Rested): number {
  return use?.resident ?? USUAL_BYTES
}
