import type { Clock } from '#timing/clock'
import type { Lease } from '#agents/leases/lease_manager'
import type { AgentKey, GatewayAccess, WakeProgress, WakeReason, WakeStage } from '#agents/types'

/** The wake was cancelled, and nothing of it is left running. */
export class WakeCancelled extends Error {
  override name = 'WakeCancelled'
}

/** Mosaic is shutting down during the wake. The instance keeps running, and the next Mosaic adopts it. */
export class WakeAbandoned extends Error {
  override name = 'WakeAbandoned'
}

export function isExplicit(reason: WakeReason): boolean {
  return reason === 'person' || reason === 'restart'
}

/** A wake in flight, from not running to ready. Later callers join it. */
export class Wake {
  /** The result of the wake. The waker sets it. */
  declare result: Promise<GatewayAccess>
  /** Whether a person asked for it. An earlier failure then does not delay it. */
  explicit: boolean
  /** The last progress, for callers that join; null before the first step. */
  progress: WakeProgress | null = null
  /** The usual duration in milliseconds, once the driver is known. */
  usualMs: number | null = null

  /** Whether another replica of Mosaic was seen waking the agent. */
  followed = false

  readonly #controller = new AbortController()
  #signal = this.#controller.signal
  readonly #clock: Clock
  readonly #beganAt: number
  /** Milliseconds spent in each completed stage. */
  readonly #stages = new Map<WakeStage, number>()
  #enteredAt = 0
  readonly #listeners = new Set<(progress: WakeProgress) => void>()

  constructor(
    readonly agent: AgentKey,
    readonly reason: WakeReason,
    clock: Clock
  ) {
    this.explicit = isExplicit(reason)
    this.#clock = clock
    this.#beganAt = clock.elapsed()
  }

  /** Aborts when the wake is cancelled or its lease is lost. */
  get signal(): AbortSignal {
    return this.#signal
  }

  /** Aborts when the wake is cancelled. */
  get cancelled(): AbortSignal {
    return this.#controller.signal
  }

  /** Continues the wake under this lease. */
  begin(lease: Lease): void {
    this.#signal = AbortSignal.any([this.#controller.signal, lease.signal])
  }

  /** Whole milliseconds since it began. */
  get elapsedMs(): number {
    return Math.round(this.#clock.elapsed() - this.#beganAt)
  }

  end(reason: WakeCancelled | WakeAbandoned): void {
    this.#controller.abort(reason)
  }

  /** Reports a step. A repeated step is reported only if it has new details. */
  tell(
    stage: WakeStage,
    more: Pick<WakeProgress, 'queuePosition' | 'expectedWaitMs' | 'detail'> = {}
  ): void {
    if (this.progress?.stage === stage && Object.keys(more).length === 0) return
    if (this.progress?.stage !== stage) this.#leaveStage()
    this.progress = { stage, elapsedMs: this.elapsedMs, usualMs: this.usualMs, ...more }
    for (const listener of this.#listeners) listener(this.progress)
  }

  /** Reports the progress of the replica that wakes the agent. */
  follow({ stage, queuePosition, expectedWaitMs, detail, usualMs }: WakeProgress): void {
    const last = this.progress
    this.followed = true
    this.usualMs = usualMs
    const same = last?.stage === stage && last.queuePosition === queuePosition
    if (same && last.detail === detail) return
    this.tell(stage, {
      ...(queuePosition && { queuePosition }),
      ...(expectedWaitMs !== undefined && { expectedWaitMs }),
      ...(detail && { detail }),
    })
  }

  /** Returns the figures for the metrics, once the wake has ended. */
  summary() {
    const { reason, elapsedMs } = this
    return { reason, elapsedMs, stages: this.#stages }
  }

  #leaveStage(): void {
    const { elapsedMs } = this
    const former = this.progress?.stage
    if (former) {
      const spentMs = elapsedMs - this.#enteredAt
      this.#stages.set(former, (this.#stages.get(former) ?? 0) + spentMs)
    }
    this.#enteredAt = elapsedMs
  }

  /** Subscribes a listener, which gets the current step at once. */
  listen(listener: (progress: WakeProgress) => void): () => void {
    this.#listeners.add(listener)
    if (this.progress) listener({ ...this.progress, elapsedMs: this.elapsedMs })
    return () => void this.#listeners.delete(listener)
  }
}
