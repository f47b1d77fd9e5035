import { listIn, objectIn, textIn, timeIn } from '#openclaw/gateway_fields'

/** The few fields Mosaic reads from a gateway's responses to control calls. */

/** Response of `gateway.suspend.prepare`. `busy` suspends nothing, so it has no id. */
export interface Suspension {
  status: 'ready' | 'draining' | 'busy'
  suspensionId?: string
}

export interface CronPage {
  jobs?: unknown
  hasMore?: boolean
  nextOffset?: unknown
}

export interface ConfigSnapshot {
  /** The document as written, without OpenClaw's defaults. */
  parsed?: Record<string, unknown>
  hash?: string
}

/** Response of `device.pair.list`: the devices that may connect. */
export interface PairedDevices {
  paired?: unknown
}

/** OpenClaw's own jobs: a weekly review of skills, a nightly one of memories, heartbeats. */
const OF_OPENCLAW = /^(heartbeat|skill-collection-review|memory-core):/

/** Returns when the first user-requested job is due, in milliseconds since the epoch, or null. */
export function nextOwnJobAt(jobs: unknown): number | null {
  let earliest: number | null = null
  for (const job of listIn(jobs).map(objectIn)) {
    if (job.enabled === false || OF_OPENCLAW.test(textIn(job.declarationKey) ?? '')) continue
    const time = timeIn(objectIn(job.state).nextRunAtMs)
    if (time !== undefined) earliest = Math.min(earliest ?? time, time)
  }
  return earliest
}
