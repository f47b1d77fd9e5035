import type { AgentsContext } from '#agents/context'
import type { AgentKey } from '#agents/types'
import type { RestMode, WakePolicy } from '#models/types'
import type { MachineMemory, MemoryUse } from '#runtimes/contract'

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS
const MB = 1024 * 1024

/** Share of available memory below which `auto` lets no further agent rest. */
const COMFORT = 0.25
/** Share of available memory below which resting agents are stopped, until it reaches `RELIEF`. */
const PRESSURE = 0.1
const RELIEF = 0.15
/** Memory of an idle OpenClaw, if its driver does not report it. */
const USUAL_BYTES = 700 * MB

/** The resting rules from the settings. Times in milliseconds. */
export interface RestRules {
  mode: RestMode
  /** The policy of agents whose owners have not chosen one. */
  policy: WakePolicy
  /** Idle time until an agent rests, and resting time until its page-out. */
  afterMs: number
  pageOutAfterMs: number
  /** The longest rest. */
  longestMs: number
  /**
   * The share of the machine's memory that resting agents may hold, or an absolute limit that overrides it.
   */
  memoryShare: number
  memoryBytes: number | null
  count: number | null
}

/** A suspended agent and its memory use; null if unknown. */
export interface Rested {
  agent: AgentKey
  /** Milliseconds since the epoch. */
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

/** Returns the memory held by all resting agents, in bytes. */
export function heldBytes(rested: Rested[]): number {
  return rested.reduce((sum, one) => sum + bytesOf(one), 0)
}

/**
 * Returns the memory that resting agents may hold, in bytes; null if unlimited, as when the machine's memory
 * is unknown.
 */
export function budgetBytes(rules: RestRules, machine: MachineMemory | null): number | null {
  return rules.memoryBytes ?? (machine && Math.floor(machine.total * rules.memoryShare))
}

/**
 * Returns how many more agents may rest. `auto` allows none if the machine's memory is unknown, and leaves a
 * quarter of it to running programs.
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

/** Returns the resting agents to stop for lack of memory or because of the settings, longest unused first. */
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
