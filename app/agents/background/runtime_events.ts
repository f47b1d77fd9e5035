import type { AgentsContext } from '#agents/context'
import type { InstanceObserver } from '#agents/instances/instance_observer'
import type { AgentKey } from '#agents/types'
import type { RuntimeDriver, RuntimeEvent } from '#runtimes/contract'
import { within } from '#timing/deadline'

/** First delay before an ended event stream is reopened; it grows with each retry. */
const FIRST_RETRY_MS = 1000
const LONGEST_RETRY_MS = 30_000

/** Agents looked at concurrently: an engine that restarts ends all at once. */
const LOOKS_AT_ONCE = 8

export interface RuntimeEventsParts {
  observer: InstanceObserver
  /** As `AgentActivity`. */
  activity: { inFlight(agent: AgentKey): number }
  /** As `AgentLifecycle`. */
  lifecycle: { ensureRunning(agent: AgentKey): Promise<unknown> }
}

/**
 * Receives events from the drivers, so that a crash is noticed within a second. The sweeps find crashes whose event was
 * missed. When an instance ends, its gateway is forgotten at once; when events may have been missed, all gateways are:
 * another agent may get the address, and must not get the token. The gateway of a suspended agent is forgotten too,
 * because a command that suspends agents ends before the other replicas notice, and a message would wait for a gateway
 * that cannot answer. If a message is waiting already, the agent is resumed.
 */
export class RuntimeEvents {
  readonly #context: Pick<AgentsContext, 'clock' | 'logger' | 'runtimes' | 'timeouts'>
  readonly #parts: RuntimeEventsParts
  readonly #ended = new AbortController()
  readonly #watched = new Map<string, Promise<void>>()
  /** Looks that wait for their turn, by event. */
  readonly #waiting = new Map<string, () => Promise<void>>()
  readonly #looking = new Set<Promise<void>>()

  constructor(
    context: Pick<AgentsContext, 'clock' | 'logger' | 'runtimes' | 'timeouts'>,
    parts: RuntimeEventsParts
  ) {
    this.#context = context
    this.#parts = parts
  }

  /** Subscribes to a runtime's events. Idempotent. */
  follow(runtime: string): void {
    if (this.#watched.has(runtime) || this.#ended.signal.aborted) return
    this.#watched.set(runtime, this.#listen(runtime))
  }

  async close(): Promise<void> {
    this.#ended.abort()
    this.#waiting.clear()
    await Promise.all([...this.#watched.values(), ...this.#looking])
  }

  async #listen(runtime: string): Promise<void> {
    const { signal } = this.#ended
    let retryMs = FIRST_RETRY_MS
    while (!signal.aborted) {
      try {
        const driver = await this.#context.runtimes.use(runtime)
        if (!driver.events) return
        for await (const event of driver.events(signal)) {
          retryMs = FIRST_RETRY_MS
          this.#heard(driver, event)
        }
      } catch (error) {
        if (signal.aborted) return
        this.#context.logger.warn({ err: error, runtime }, 'Lost the events of a runtime')
      }
      this.#parts.observer.forgetAll()
      await this.#context.clock.wait(retryMs, signal).catch(() => {})
      retryMs = Math.min(LONGEST_RETRY_MS, retryMs * 2)
    }
  }

  #heard(driver: RuntimeDriver, { type, name }: RuntimeEvent): void {
    const { observer } = this.#parts
    if (type === 'interrupted') return observer.forgetAll()
    const hasEnded = type === 'exited' || type === 'removed'
    if (!hasEnded && type !== 'suspended') return
    const known = observer.agentNamed(name)
    if (known) observer.forget(known)
    this.#later(`${hasEnded} ${name}`, async () => {
      const agent = known ?? (await this.#ask(driver, name))
      if (!agent || observer.isBusy(agent)) return
      if (!hasEnded) return this.#rescue(agent)
      await observer.recheck(agent).catch((error: unknown) => {
        this.#context.logger.warn({ err: error, agent }, 'Could not note the end of an agent')
      })
    })
  }

  /** Runs the look soon, once for events that are the same. It must not reject. */
  #later(event: string, look: () => Promise<void>): void {
    this.#waiting.set(event, look)
    if (this.#looking.size === LOOKS_AT_ONCE) return
    const looking = this.#lookAtAll().finally(() => this.#looking.delete(looking))
    this.#looking.add(looking)
  }

  async #lookAtAll(): Promise<void> {
    for (const [event, look] of this.#waiting) {
      this.#waiting.delete(event)
      await look()
    }
  }

  /** Resumes an agent that was suspended just as a message arrived. */
  #rescue(agent: AgentKey): void {
    const { activity, lifecycle } = this.#parts
    if (activity.inFlight(agent) === 0) return
    lifecycle.ensureRunning(agent).catch((error: unknown) => {
      this.#context.logger.warn({ err: error, agent }, 'Could not resume an agent for its message')
    })
  }

  async #ask(driver: RuntimeDriver, name: string): Promise<AgentKey | null> {
    const { clock, timeouts } = this.#context
    const look = within(clock, timeouts.inspectMs, undefined, () =>
      driver.inspect({ name, state: null })
    )
    const observed = await look.catch(() => null)
    return observed ? (observed.agent as AgentKey) : null
  }
}
