import type { RuntimeFinding } from '#runtimes/contract'
import type { Clock } from '#timing/clock'

/** Wait after the first failure; each further one doubles it. */
const FIRST_MS = 30_000
const LONGEST_MS = 5 * 60_000

interface Failure {
  rules: string
  findings: RuntimeFinding[]
  waitMs: number
  dueAt: number
}

/** Nodes whose isolation proof failed, with a growing retry delay: a proof occupies the node and delays callers. */
export class FailedProofs {
  readonly #clock: Clock
  readonly #failures = new Map<string, Failure>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Whether to try a node again: its delay is over, or the rules have changed since it failed. */
  isDue(node: string, rules: string): boolean {
    const failure = this.#failures.get(node)
    return failure?.rules !== rules || this.#clock.elapsed() >= failure.dueAt
  }

  findingsOf(node: string): RuntimeFinding[] {
    return this.#failures.get(node)?.findings ?? []
  }

  /** Notes what a proof found; nothing is a success. */
  note(node: string, rules: string, findings: RuntimeFinding[]): void {
    const former = this.#failures.get(node)
    this.#failures.delete(node)
    if (findings.length === 0) return
    const waitMs = former?.rules === rules ? Math.min(2 * former.waitMs, LONGEST_MS) : FIRST_MS
    this.#failures.set(node, { rules, findings, waitMs, dueAt: this.#clock.elapsed() + waitMs })
  }
}
