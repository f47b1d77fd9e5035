/** When an event stream speaks although there is nothing to say. Milliseconds. */
export interface StreamTiming {
  /** Silence after which the answer's headers are sent: later failures are events, not statuses. */
  openAfterMs: number
  /** Silence after which a comment keeps clients and proxies from giving up. */
  heartbeatMs: number
}

export const STREAM_TIMING: StreamTiming = { openAfterMs: 1000, heartbeatMs: 15_000 }
