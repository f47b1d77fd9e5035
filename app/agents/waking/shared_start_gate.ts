import type { AgentsContext, Replicas } from '#agents/context'
import { StartGate } from '#agents/waking/start_gate'
import { raceSignal } from '#timing/race_signal'
import type { AgentKey } from '#agents/types'
import type { WakeRegistry } from '#agents/replicas/wake_registry'

/** A place that another copy gave back is found within this time. */
const LOOK_MS = 250

interface Waiter {
  places: number
  /** The position it was told last. */
  told: number | null
  tell: (position: number) => void
  enter: () => void
}

/**
 * The start gate over all copies of Mosaic. A copy that is alone keeps the line itself; where there are
 * others the line is that of the wake board: the first of it have a place, in the order in which their
 * wakes began. Only while a copy comes or goes may a few more start than there are places.
 */
export class SharedStartGate {
  readonly #context: Pick<AgentsContext, 'clock' | 'logger'>
  readonly #copies: Replicas
  readonly #board: WakeRegistry
  readonly #alone = new StartGate()
  readonly #waiting = new Map<AgentKey, Waiter>()
  #entered = 0
  #looking = false

  constructor(
    context: Pick<AgentsContext, 'clock' | 'logger'>,
    copies: Replicas,
    board: WakeRegistry
  ) {
    this.#context = context
    this.#copies = copies
    this.#board = board
  }

  /** Agents that start just now in this copy. */
  get starting(): number {
    return this.#alone.starting + this.#entered
  }

  /** Agents of this copy in line. */
  get waiting(): number {
    return this.#alone.waiting + this.#waiting.size
  }

  /**
   * Waits for a place among so many. `tell` hears the position in the line, from 1, whenever it changes.
   * The returned function gives the place back.
   *
   * @throws the signal's reason
   */
  async enter(
    agent: AgentKey,
    places: number,
    options: { signal: AbortSignal; tell: (position: number) => void }
  ): Promise<() => void> {
    const { signal, tell } = options
    if (this.#copies.alone || !(await this.#board.lineUp(agent, true))) {
      return this.#alone.enter(places, options)
    }
    const leaveLine = () => void this.#board.lineUp(agent, false)
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

  /** One look for all who wait here, again and again while somebody does. */
  async #look(): Promise<void> {
    if (this.#looking) return
    this.#looking = true
    const { clock, logger } = this.#context
    while (this.#waiting.size > 0) {
      const line = await this.#board.line().catch((error: unknown) => {
        logger.warn({ err: error }, 'Could not see the line of those who start')
        return null
      })
      if (line) this.#admit(line)
      await clock.wait(LOOK_MS)
    }
    this.#looking = false
  }

  /** Who is not in the line any more was taken for gone with its copy, and need not wait for anyone. */
  #admit(line: AgentKey[]): void {
    for (const [agent, waiter] of this.#waiting) {
      const position = line.indexOf(agent) - waiter.places + 1
      if (position < 1) waiter.enter()
      else if (position !== waiter.told) {
        waiter.told = position
        waiter.tell(position)
      }
    }
  }
}
