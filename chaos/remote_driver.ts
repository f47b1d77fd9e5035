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

/** One world serves one run, so it ignores the replicas' installation ID. */
export const WORLD_INSTALLATION = 'world'

/** A response of the world: the verb's result, or its failure. */
export type WorldAnswer = { value: unknown } | { reason: FailureReason; message: string }

/**
 * The memory driver of a world in its own process. Like an engine it outlives every replica, finishes a dead
 * replica's requests, and sees what all replicas do.
 */
export class RemoteDriver implements RuntimeDriver {
  readonly name = 'memory'
  readonly capabilities = {
    isolation: 'none',
    suspend: true,
    pageOut: true,
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

  pageOut({ name }: InstanceRef): Promise<void> {
    return this.#ask('pageOut', { name })
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

/** Times arrive as strings. */
function revived(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(revived)
  if (value && typeof value === 'object' && 'startedAt' in value && value.startedAt) {
    return { ...value, startedAt: new Date(value.startedAt as string) }
  }
  return value
}
