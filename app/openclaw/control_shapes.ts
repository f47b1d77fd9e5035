/** The few fields that Mosaic reads of what a gateway answers to control calls. */

/** The answer to `gateway.suspend.prepare`. `busy` holds nothing, so it has no id. */
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
  /** The document as it was written, without the defaults of OpenClaw. */
  parsed?: Record<string, unknown>
  hash?: string
}

/** The answer to `device.pair.list`: the devices that may connect. */
export interface PairedDevices {
  paired?: { deviceId: string }[]
}

/** Jobs that OpenClaw keeps for itself: a review of skills each week, of memories each night, heartbeats. */
const OF_OPENCLAW = /^(heartbeat|skill-collection-review|memory-core):/

/** When the first of the jobs that someone asked for is due, in milliseconds of the epoch, or null. */
export function nextOwnJobAt(jobs: CronJob[]): number | null {
  const times = jobs
    .filter(({ enabled, declarationKey }) => {
      return enabled !== false && !OF_OPENCLAW.test(declarationKey ?? '')
    })
    .map(({ state }) => state?.nextRunAtMs)
    .filter((time) => typeof time === 'number')
  return times.length > 0 ? Math.min(...times) : null
}
