import type { RuntimeFinding } from '#runtimes/contract'
import { endedFinding, UNREACHABLE } from '#runtimes/drivers/docker/isolation_findings'
import type { Clock } from '#timing/clock'

/** How long a proof counts: other programs may change the packet filter. */
const VALID_MS = 15 * 60_000
/** Age from which a start that relies on a proof also renews it. */
const RENEW_MS = 5 * 60_000
/** A failed proof is not repeated for each agent that wakes. */
const RETRY_MS = 10_000

/** Findings of a proof that could not be made. */
const HINDRANCES = new Set([UNREACHABLE.code, endedFinding(null).code])

/** What a proof found, and when it was made, by the clock's `elapsed`. */
export interface Proof {
  findings: RuntimeFinding[]
  at: number
}

export interface ProofParts {
  /** Tries whether agents are isolated, which may take minutes, or returns a proof not older than this. */
  prove: (image: string, maxAgeMs: number) => Promise<Proof>
  /** Whether Mosaic's own guard is in place. If that changes, former proofs do not count. */
  isGuarded: () => boolean
  clock: Clock
}

/** Decides how long a proof of isolation counts. At most one is being made at a time. */
export class IsolationProofs {
  readonly #parts: ProofParts
  readonly #clock: Clock
  #last: (Proof & { isGuarded: boolean }) | null = null
  #pending: Promise<Proof> | null = null

  constructor(parts: ProofParts) {
    this.#parts = parts
    this.#clock = parts.clock
  }

  /** Makes the next call repeat the proof. */
  forget(): void {
    this.#last = null
    this.#pending = null
  }

  /** Returns the violations, as the last proof found them that still counts. */
  async examine(image: string): Promise<RuntimeFinding[]> {
    const last = this.#holding()
    if (!last) return (await (this.#pending ?? this.#prove(image, VALID_MS))).findings
    if (this.#clock.elapsed() - last.at > RENEW_MS && !this.#pending) {
      this.#prove(image, RENEW_MS).catch(() => {})
    }
    return last.findings
  }

  #holding(): Proof | null {
    const last = this.#last
    if (!last || last.isGuarded !== this.#parts.isGuarded()) return null
    const lastsMs = last.findings.length > 0 ? RETRY_MS : VALID_MS
    return this.#clock.elapsed() - last.at < lastsMs ? last : null
  }

  #prove(image: string, maxAgeMs: number): Promise<Proof> {
    const pending = this.#parts.prove(image, maxAgeMs)
    this.#pending = pending
    const settle = (proof: Proof | null) => {
      if (this.#pending !== pending) return
      this.#pending = null
      // A busy machine may keep probes from answering: that says nothing against the former proof.
      const isHindered = proof?.findings.some(({ code }) => HINDRANCES.has(code))
      if (!proof || (isHindered && this.#holding()?.findings.length === 0)) return
      this.#last = { ...proof, isGuarded: this.#parts.isGuarded() }
    }
    pending.then(settle, () => settle(null))
    return pending
  }
}
