import { readFileSync } from 'node:fs'
import { setTimeout as after } from 'node:timers/promises'
import { now } from '../clock.js'

/** Jiffies per second in /proc, a constant of the Linux ABI. */
const TICKS_PER_SECOND = 100
/** The work that follows a chat takes half of this. */
export const SETTLE_MS = 40_000
/** A start of OpenClaw takes ten times as much; its launcher alone takes less. */
const START_SECONDS = 2

/** What something took: wall time in milliseconds, and seconds of processor time. */
export interface Cost {
  ms: number
  cpu: number
}

/** Processor seconds a minute while nobody uses the agent. */
export interface IdleCost {
  agent: number
  /** This process's, whose services look after all agents. */
  mosaic: number
}

/** Measures costs of one agent: its processes' processor time, and this process's. */
export class Meter {
  readonly #pids: () => number[]
  readonly #startedAt = now()
  readonly #cpu: number

  /** `pids` returns the agent's processes at the time of the call. */
  constructor(pids: () => number[]) {
    this.#pids = pids
    this.#cpu = usedBy(pids()) + ownUse()
  }

  /**
   * Returns the cost since its creation.
   *
   * @throws if the processes of the agent are not found
   */
  read(): Cost {
    const ms = now() - this.#startedAt
    const used = usedByOpenclaw(this.#pids()) + ownUse()
    return { ms, cpu: Math.max(0, used - this.#cpu) }
  }
}

/**
 * Waits while the agent is idle. Returns what that costs, without what its last chat still causes: OpenClaw then
 * tidies its databases.
 *
 * @throws if the processes of the agent are not found
 */
export async function idleCost(pids: () => number[], idleMs: number): Promise<IdleCost> {
  await after(SETTLE_MS)
  const used = () => usedByOpenclaw(pids())
  const before = { agent: used(), mosaic: ownUse() }
  const countedMs = idleMs - SETTLE_MS
  await after(countedMs)
  const minutes = countedMs / 60_000
  return {
    agent: (used() - before.agent) / minutes,
    mosaic: (ownUse() - before.mosaic) / minutes,
  }
}

/** As `usedBy`, for an agent that runs. */
function usedByOpenclaw(pids: number[]): number {
  const used = usedBy(pids)
  if (used < START_SECONDS) throw new Error('The processes of the agent were not found')
  return used
}

function usedBy(pids: number[]): number {
  return pids.reduce((sum, pid) => sum + processorSeconds(pid), 0)
}

function ownUse(): number {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1e6
}

/** Includes its ended children; 0 if the process has ended. */
function processorSeconds(pid: number): number {
  const stat = readProcess(pid, 'stat')
  if (!stat) return 0
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return fields.slice(11, 15).reduce((sum, value) => sum + Number(value), 0) / TICKS_PER_SECOND
}

/** Returns the resident bytes of processes; pages that they share count for each in part. */
export function residentBytes(pids: number[]): number {
  return pids.reduce((sum, pid) => {
    const kilobytes = /^Pss:\s+(\d+)/m.exec(readProcess(pid, 'smaps_rollup'))?.[1]
    return sum + Number(kilobytes ?? 0) * 1024
  }, 0)
}

/** Returns an empty string if the process has ended. */
export function readProcess(pid: number, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8')
  } catch {
    return ''
  }
}
