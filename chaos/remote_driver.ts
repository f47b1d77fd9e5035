import type { Readable } from 'node:stream'
import type {
  Instance,
  InstanceRef,
  InstanceSpec,
  Observed,
  RuntimeContext,
  RuntimeDriver,
  RuntimeFinding,
} from '#runtimes/contract'
import { RuntimeError, type FailureReason } from '#runtimes/errors'

/** One world serves one run, so it need not know by what name the replicas go. */
export const WORLD_INSTALLATION = 'world'

/** An answer of the world: what the verb gave, or how it failed. */
export type WorldAnswer = { value: unknown } | { reason: FailureReason; message: string }

/**
 * The memory driver of a world that lives in a process of its own, as an engine does: it outlives every
 * replica of Mosaic, goes on with what a dead one asked for, and sees what all of them do.
 */
export class RemoteDriver implements RuntimeDriver {
  readonly name = 'memory'
  readonly capabilities = {
    isolation: 'none',
    suspend: true,
    limits: false,
    multiNode: false,
    events: false,
  } as const

  constructor(
    protected url: string,
    protected replicaId: string
  ) {}

  async ensure({ token, ...pure }: InstanceSpec, { signal }: RuntimeContext): Promise<Instance> {
    signal.throwIfAborted()
    const spec = { ...pure, installation: WORLD_INSTALLATION }
    const giveUp = () => void this.#ask('giveUp', { name: spec.name }).catch(() => {})
    signal.addEventListener('abort', giveUp, { once: true })
    try {
      return await this.#ask<Instance>('ensure', { spec, token: token.release() })
    } catch (error) {
      signal.throwIfAborted()
      throw error
    } finally {
      signal.removeEventListener('abort', giveUp)
    }
  }

  stop({ name }: InstanceRef): Promise<void> {
    return this.#ask('stop', { name })
  }

  suspend({ name }: InstanceRef): Promise<void> {
    return this.#ask('suspend', { name })
  }

  resume({ name }: InstanceRef): Promise<void> {
    return this.#ask('resume', { name })
  }

  inspect({ name }: InstanceRef): Promise<Observed | null> {
    return this.#ask('inspect', { name })
  }

  async *list(): AsyncIterable<Observed> {
    yield* await this.#ask<Observed[]>('list', {})
  }

  remove({ name }: InstanceRef): Promise<void> {
    return this.#ask('remove', { name })
  }

  purge({ name }: InstanceRef): Promise<void> {
    return this.#ask('purge', { name })
  }

  async *logs(): AsyncIterable<string> {}

  async preflight(): Promise<RuntimeFinding[]> {
    return []
  }

  async exportData(): Promise<Readable | null> {
    return null
  }

  async #ask<Value>(verb: string, input: object): Promise<Value> {
    const response = await fetch(`${this.url}/world/${verb}`, {
      method: 'POST',
      body: JSON.stringify({ replicaId: this.replicaId, ...input }),
    })
    const answer = (await response.json()) as WorldAnswer
    if ('reason' in answer) throw new RuntimeError(answer.reason, answer.message)
    return revived(answer.value) as Value
  }
}

/** Times come back as text. */
function revived(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(revived)
  if (value && typeof value === 'object' && 'startedAt' in value && value.startedAt) {
    return { ...value, startedAt: new Date(value.startedAt as string) }
  }
  return value
}
