/** When an event stream sends output although no event has occurred. Milliseconds. */
export interface StreamTiming {
  /** Silence after which the response headers are sent. Later failures become events, not statuses. */
  openAfterMs: number
  /** Silence after which a comment keeps clients and proxies from timing out. */
  heartbeatMs: number
}

export const STREAM_TIMING: StreamTiming = { openAfterMs: 1000, heartbeatMs: 15_000 }
