/** The few fields Mosaic reads from a gateway's responses to control calls. */

/** Response of `gateway.suspend.prepare`. `busy` suspends nothing, so it has no id. */
export interface Suspension {
  status: 'ready' | 'draining' | 'busy'
  suspensionId?: string
}

export interface CronJob {
  enabled?: boolean
  declarationKey?: string
  state?: { nextRunAtMs?: number }
}

export interface CronPage {
  jobs?: CronJob[]
  hasMore?: boolean
  nextOffset?: number | null
}

export interface ConfigSnapshot {
  /** The document as written, without OpenClaw's defaults. */
  parsed?: Record<string, unknown>
  hash?: string
}

/** Response of `device.pair.list`: the devices that may connect. */
export interface PairedDevices {
  paired?: { deviceId: string }[]
}

/** OpenClaw's own jobs: a weekly review of skills, a nightly one of memories, heartbeats. */
const OF_OPENCLAW = /^(heartbeat|skill-collection-review|memory-core):/

/** Returns when the first user-requested job is due, in milliseconds since the epoch, or null. */
export function nextOwnJobAt(jobs: CronJob[]): number | null {
  const times = jobs
    .filter(({ enabled, declarationKey }) => {
      return enabled !== false && !OF_OPENCLAW.test(declarationKey ?? '')
    })
    .map(({ state }) => state?.nextRunAtMs)
    .filter((time) => typeof time === 'number')
  return times.length > 0 ? Math.min(...times) : null
}
