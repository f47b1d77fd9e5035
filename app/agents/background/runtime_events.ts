import type { AgentsContext } from '#agents/context'
import type { InstanceObserver } from '#agents/instances/instance_observer'
import type { AgentKey } from '#agents/types'
import type { RuntimeDriver, RuntimeEvent } from '#runtimes/contract'

/** First delay before an ended event stream is reopened; it grows with each retry. */
const FIRST_RETRY_MS = 1000
const LONGEST_RETRY_MS = 30_000

export interface RuntimeEventsParts {
  observer: InstanceObserver
  /** As `AgentActivity`. */
  activity: { inFlight(agent: AgentKey): number }
  /** As `AgentLifecycle`. */
  lifecycle: { ensureRunning(agent: AgentKey): Promise<unknown> }
}

/**
 * Receives events from the drivers. A crash is noticed within a second; the sweeps find those whose event was
 * missed. The gateway of an agent that another process suspended is forgotten: a command is gone before the
 * other replicas know it, and a message would wait for a gateway that cannot answer. If one does already, the
 * agent is resumed.
 */
export class RuntimeEvents {
  readonly #context: Pick<AgentsContext, 'clock' | 'logger' | 'runtimes'>
  readonly #parts: RuntimeEventsParts
  readonly #ended = new AbortController()
  readonly #watched = new Map<string, Promise<void>>()

  constructor(
    context: Pick<AgentsContext, 'clock' | 'logger' | 'runtimes'>,
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
    await Promise.all(this.#watched.values())
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
          await this.#heard(driver, event)
        }
      } catch (error) {
        if (signal.aborted) return
        this.#context.logger.warn({ err: error, runtime }, 'Lost the events of a runtime')
      }
      await this.#context.clock.wait(retryMs, signal).catch(() => {})
      retryMs = Math.min(LONGEST_RETRY_MS, retryMs * 2)
    }
  }

  async #heard(driver: RuntimeDriver, event: RuntimeEvent): Promise<void> {
    const hasEnded = event.type === 'exited' || event.type === 'removed'
    if (!hasEnded && event.type !== 'suspended') return
    const { observer } = this.#parts
    const agent = observer.agentNamed(event.name) ?? (await this.#ask(driver, event.name))
    if (!agent || observer.isBusy(agent)) return
    observer.forget(agent)
    if (!hasEnded) return this.#rescue(agent)
    await observer.recheck(agent).catch((error: unknown) => {
      this.#context.logger.warn({ err: error, agent }, 'Could not note the end of an agent')
    })
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
    const observed = await driver.inspect({ name, state: null }).catch(() => null)
    return observed ? (observed.agent as AgentKey) : null
  }
}
