import { EventFeed } from '#runtimes/event_feed'
import { KeyedQueue } from '#runtimes/keyed_queue'
import type {
  InstanceSpec,
  MachineMemory,
  MemoryUse,
  Observed,
  RuntimeEvent,
} from '#runtimes/contract'
import type {
  MemoryFaults,
  MemoryGateway,
  MemorySessions,
} from '#tests/doubles/memory_runtime/gateway'
import type { MemoryNodes } from '#tests/doubles/memory_runtime/nodes'
import type { FailureReason } from '#runtimes/errors'

/** Faults of an instance's start, beside those of its gateway. */
export interface MemoryBehaviour extends MemoryFaults {
  /** Milliseconds that `ensure` takes. */
  startMs?: number
  /** `ensure` takes until this is settled. */
  startsOnce?: Promise<unknown>
  /** `ensure` fails with this reason. */
  refuse?: FailureReason
}

/** Counts for one instance name since the world began. */
export interface MemoryCounts {
  starts: number
  stops: number
  alive: number
  /** Most instances of this name alive at the same time. More than one is a bug. */
  mostAlive: number
}

export interface MemoryInstance {
  spec: Omit<InstanceSpec, 'token'>
  id: string
  endpoint: string
  startedAt: Date
  status: Observed['status']
  exitCode: number | null
  failure: Observed['failure']
  /** Bytes of memory that it takes. */
  use: MemoryUse
  /** Null once it has ended. */
  gateway: MemoryGateway | null
}

/**
 * The memory driver's instances and agents' data. It plays the engine: a new driver object over the same world
 * finds everything again, like Mosaic after a restart.
 */
export class MemoryWorld {
  /** Distinguishes worlds, as the id of an engine does. */
  readonly id = crypto.randomUUID()
  readonly instances = new Map<string, MemoryInstance>()
  readonly data = new Map<string, MemorySessions>()
  /** Data that imports replaced, by name. */
  readonly replaced = new Map<string, MemorySessions>()
  readonly logs = new Map<string, string[]>()
  readonly feed = new EventFeed()
  readonly queue = new KeyedQueue()
  /** The machine, as the driver tells it. Null: it does not. */
  machine: MachineMemory | null = null
  /** The machines, if there are several. */
  nodes: MemoryNodes | null = null
  readonly #counts = new Map<string, MemoryCounts>()
  readonly #behaviours = new Map<string, MemoryBehaviour>()

  counts(name: string): MemoryCounts {
    const counts = this.#counts.get(name) ?? { starts: 0, stops: 0, alive: 0, mostAlive: 0 }
    this.#counts.set(name, counts)
    return counts
  }

  /** Faults of one name, or of all (`*`). The object is live: change it while instances run. */
  behaviour(name: string): MemoryBehaviour {
    const behaviour = this.#behaviours.get(name) ?? { ...this.#behaviours.get('*') }
    this.#behaviours.set(name, behaviour)
    return behaviour
  }

  began(name: string): void {
    const counts = this.counts(name)
    counts.starts++
    counts.alive++
    counts.mostAlive = Math.max(counts.mostAlive, counts.alive)
  }

  ended(name: string): void {
    this.counts(name).alive--
  }

  /** Resets counts and faults. */
  forget(): void {
    this.#counts.clear()
    this.#behaviours.clear()
  }

  emit(type: RuntimeEvent['type'], name: string, now: number): void {
    this.feed.emit({ type, name, at: new Date(now) })
  }
}
