import type { AgentsContext, Replicas } from '#agents/context'
import { StartGate } from '#agents/waking/start_gate'
import { raceSignal } from '#timing/race_signal'
import type { AgentKey } from '#agents/types'
import type { WakeRegistry } from '#agents/replicas/wake_registry'

/** Every position up to this one is reported, and further back only changes by a share of it. */
const EXACT_POSITIONS = 20
const NOTABLE_SHARE = 0.05
/** Poll interval for places that another replica has freed. */
const LOOK_MS = 250

interface Waiter {
  places: number
  /** The last reported position. */
  told: number | null
  tell: (position: number) => void
  enter: () => void
}

/**
 * The start gate over all replicas of Mosaic. A lone replica keeps the queue in memory; otherwise the
 * queue is in the wake registry, in the order in which the wakes began, and its head may start. While a
 * replica joins or leaves, a few more agents may start than there are places.
 */
export class SharedStartGate {
  readonly #context: Pick<AgentsContext, 'clock' | 'logger'>
  readonly #replicas: Replicas
  readonly #registry: WakeRegistry
  readonly #alone = new StartGate()
  readonly #waiting = new Map<AgentKey, Waiter>()
  #entered = 0
  #looking = false

  constructor(
    context: Pick<AgentsContext, 'clock' | 'logger'>,
    replicas: Replicas,
    registry: WakeRegistry
  ) {
    this.#context = context
    this.#replicas = replicas
    this.#registry = registry
  }

  /** Agents starting in this replica. */
  get starting(): number {
    return this.#alone.starting + this.#entered
  }

  /** Agents of this replica in the queue. */
  get waiting(): number {
    return this.#alone.waiting + this.#waiting.size
  }

  /**
   * Waits for one of `places`. `tell` receives the position in the queue, from 1, whenever it changes.
   * Call the returned function to free the place.
   *
   * @throws the signal's reason
   */
  async enter(
    agent: AgentKey,
    places: number,
    options: { signal: AbortSignal; tell: (position: number) => void }
  ): Promise<() => void> {
    const { signal, tell } = options
    if (this.#replicas.alone || !(await this.#registry.setQueued(agent, true))) {
      return this.#alone.enter(places, options)
    }
    const leaveLine = () => void this.#registry.setQueued(agent, false)
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#waiting.set(agent, { places, told: null, tell, enter: resolve })
    try {
      signal.throwIfAborted()
      void this.#look()
      await raceSignal(promise, signal)
    } catch (error) {
      leaveLine()
      throw error
    } finally {
      this.#waiting.delete(agent)
    }
    this.#entered++
    let left = false
    return () => {
      if (left) return
      left = true
      this.#entered--
      leaveLine()
    }
  }

  /** Polls the queue once for all local waiters, as long as there are any. */
  async #look(): Promise<void> {
    if (this.#looking) return
    this.#looking = true
    const { clock, logger } = this.#context
    while (this.#waiting.size > 0) {
      const line = await this.#registry.queue().catch((error: unknown) => {
        logger.warn({ err: error }, 'Could not see the line of those who start')
        return null
      })
      if (line) this.#admit(line)
      await clock.wait(LOOK_MS)
    }
    this.#looking = false
  }

  /**
   * Admits agents. One that is missing from the queue lost its entry when its replica was presumed
   * dead; it starts at once.
   */
  #admit(line: AgentKey[]): void {
    const indices = new Map(line.map((agent, index) => [agent, index]))
    for (const [agent, waiter] of this.#waiting) {
      const position = (indices.get(agent) ?? -1) - waiter.places + 1
      if (position < 1) waiter.enter()
      else if (isNotable(position, waiter.told)) {
        waiter.told = position
        waiter.tell(position)
      }
    }
  }
}

/**
 * Whether to report a position. Each report is a write for the other replicas, and each start moves everyone
 * who waits: in a long queue that would be the square of its length.
 */
function isNotable(position: number, told: number | null): boolean {
  if (position === told) return false
  if (told === null || position <= EXACT_POSITIONS) return true
  return Math.abs(position - told) >= told * NOTABLE_SHARE
}
