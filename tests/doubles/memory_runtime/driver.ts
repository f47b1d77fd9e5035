import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { setImmediate as turn, setTimeout as after } from 'node:timers/promises'
import { archive, fileOf } from '#runtimes/archive'
import { refuseElsewhere } from '#runtimes/engine/data_place'
import { hasSwapRoom } from '#runtimes/machine_memory'
import { MemoryGateway, type MemorySessions } from '#tests/doubles/memory_runtime/gateway'
import { MemoryNodes, type MemoryNode } from '#tests/doubles/memory_runtime/nodes'
import { E_RUNTIME_NAME_TAKEN, RuntimeError } from '#runtimes/errors'
import {
  MemoryWorld,
  type MemoryBehaviour,
  type MemoryCounts,
  type MemoryInstance,
} from '#tests/doubles/memory_runtime/world'
import { raceSignal } from '#timing/race_signal'
import type {
  DriverState,
  Instance,
  InstanceRef,
  InstanceSpec,
  MachineMemory,
  MemoryUse,
  Observed,
  RuntimeContext,
  RuntimeDriver,
  RuntimeEvent,
  RuntimeFinding,
  RuntimeNodes,
} from '#runtimes/contract'

declare module '#runtimes/manager' {
  interface RuntimeDrivers {
    memory: true
  }
}

export interface MemoryDriverConfig {
  /** The world it drives; by default its own, which ends with `close`. */
  world?: MemoryWorld
  now?: () => number
  /** The driver's name, if there are several. */
  name?: string
}

/** What an instance takes, and what one step of a page-out moves. */
export const INSTANCE_BYTES = 512 * 1024 * 1024
const STEP_BYTES = 64 * 1024 * 1024

/** Log lines kept per instance. */
const LOG_LINES = 500
/** Characters kept per line. */
const LINE_LENGTH = 8192

/** The content of an archive of an agent's data. */
const SESSIONS_FILE = './sessions.json'

/** Gateway doubles in Mosaic's own process: everything a driver does, within milliseconds. For tests. */
export class MemoryDriver implements RuntimeDriver {
  readonly name: string
  readonly #world: MemoryWorld
  readonly #ownsWorld: boolean
  readonly #installation: string
  readonly #now: () => number

  constructor(config: MemoryDriverConfig = {}, installation = 'memory') {
    this.name = config.name ?? 'memory'
    this.#world = config.world ?? new MemoryWorld()
    this.#ownsWorld = config.world === undefined
    this.#installation = installation
    this.#now = config.now ?? Date.now
  }

  get capabilities() {
    return {
      isolation: 'none',
      suspend: true,
      pageOut: true,
      limits: false,
      multiNode: this.#world.nodes !== null,
      events: true,
      placement: this.#world.nodes !== null,
    } as const
  }

  get nodes(): RuntimeNodes | undefined {
    return this.#world.nodes ?? undefined
  }

  ensure(spec: InstanceSpec, { signal, onProgress, state }: RuntimeContext): Promise<Instance> {
    const start = async () => {
      signal.throwIfAborted()
      const present = this.#world.instances.get(spec.name)
      if (present && present.spec.installation !== this.#installation) {
        throw new E_RUNTIME_NAME_TAKEN(spec.name)
      }
      if (present?.gateway && present.spec.hash === spec.hash) {
        this.#setSuspended(spec.name, present, false)
        return this.#toInstance(present)
      }
      const behaviour = this.#world.behaviour(spec.name)
      onProgress?.('Starting the agent')
      if (behaviour.startMs) await after(behaviour.startMs, undefined, { signal }).catch(() => {})
      if (behaviour.startsOnce) await raceSignal(behaviour.startsOnce, signal)
      signal.throwIfAborted()
      if (behaviour.refuse) {
        throw new RuntimeError(behaviour.refuse, `Told to refuse with ${behaviour.refuse}.`)
      }
      if (!this.#world.data.has(spec.name)) refuseElsewhere(spec.name, state, this.#world.id)
      if (present) await this.#end(present, 0)
      return this.#toInstance(await this.#start(spec, behaviour))
    }
    return this.#world.queue.run(spec.name, start, signal)
  }

  stop(ref: InstanceRef): Promise<void> {
    return this.#world.queue.run(ref.name, async () => {
      const instance = this.#owned(ref.name)
      if (!instance?.gateway) return
      this.#world.counts(ref.name).stops++
      await this.#end(instance, 0)
    })
  }

  async suspend(ref: InstanceRef): Promise<void> {
    const instance = this.#owned(ref.name)
    if (instance) this.#setSuspended(ref.name, instance, true)
  }

  async resume(ref: InstanceRef): Promise<void> {
    const instance = this.#owned(ref.name)
    if (instance) this.#setSuspended(ref.name, instance, false)
  }

  /** Step by step, as a kernel does. */
  async pageOut({ name }: InstanceRef, { signal }: { signal: AbortSignal }): Promise<void> {
    const instance = this.#owned(name)
    while (instance?.status === 'suspended' && !signal.aborted && instance.use.resident > 0) {
      const { machine } = this.#world
      if (!machine || !hasSwapRoom(machine)) return
      const step = Math.min(STEP_BYTES, instance.use.resident)
      instance.use = {
        resident: instance.use.resident - step,
        swapped: instance.use.swapped + step,
      }
      machine.swapFree -= step
      machine.available += step
      await turn()
    }
  }

  async usage({ name }: InstanceRef): Promise<MemoryUse | null> {
    const instance = this.#owned(name)
    return instance?.gateway ? instance.use : null
  }

  async memory(): Promise<MachineMemory | null> {
    return this.#world.machine
  }

  async inspect(ref: InstanceRef): Promise<Observed | null> {
    const instance = this.#owned(ref.name)
    return instance ? toObserved(instance, this.#world.id) : null
  }

  async *list(): AsyncIterable<Observed> {
    for (const name of [...this.#world.instances.keys()]) {
      const instance = this.#owned(name)
      if (instance) yield toObserved(instance, this.#world.id)
    }
  }

  async remove(ref: InstanceRef): Promise<void> {
    await this.stop(ref)
    if (!this.#owned(ref.name)) return
    this.#world.instances.delete(ref.name)
    this.#world.emit('removed', ref.name, this.#now())
  }

  async purge(ref: InstanceRef): Promise<void> {
    if (this.#isForeign(ref.name)) return
    await this.remove(ref)
    this.#world.data.delete(ref.name)
    this.#world.replaced.delete(ref.name)
    this.#world.logs.delete(ref.name)
  }

  async exportData(ref: InstanceRef): Promise<Readable | null> {
    const sessions = this.#world.data.get(ref.name)
    if (!sessions) refuseElsewhere(ref.name, ref.state, this.#world.id)
    if (!sessions || this.#isForeign(ref.name)) return null
    const content = JSON.stringify([...sessions])
    return Readable.from([archive([{ path: SESSIONS_FILE, content, mode: 0o600, uid: 1000 }])])
  }

  async importData(
    spec: InstanceSpec,
    data: Readable,
    { signal }: RuntimeContext
  ): Promise<DriverState> {
    const text = fileOf(await buffer(data), SESSIONS_FILE)
    signal.throwIfAborted()
    if (text === null) throw new RuntimeError('internal', 'The data arrived without a file in it.')
    const present = this.#world.data.get(spec.name)
    if (present && !this.#world.replaced.has(spec.name)) {
      this.#world.replaced.set(spec.name, present)
    }
    this.#world.data.set(spec.name, new Map(JSON.parse(text)))
    return { engine: this.#world.id }
  }

  async keepImport({ name }: InstanceRef): Promise<void> {
    if (this.#owned(name)) this.#world.replaced.delete(name)
  }

  async undoImport(ref: InstanceRef): Promise<boolean> {
    if (this.#isForeign(ref.name) || !this.#world.replaced.has(ref.name)) return false
    await this.remove(ref)
    this.#world.data.delete(ref.name)
    return true
  }

  async *logs(ref: InstanceRef, { tail }: { tail: number }): AsyncIterable<string> {
    if (!this.#owned(ref.name) || tail <= 0) return
    yield* (this.#world.logs.get(ref.name) ?? []).slice(-tail)
  }

  events(signal: AbortSignal): AsyncIterable<RuntimeEvent> {
    return this.#world.feed.listen(signal)
  }

  async preflight(): Promise<RuntimeFinding[]> {
    return []
  }

  /** Stops the doubles of its own world: they live in this process, so nothing else could stop them. */
  async close(): Promise<void> {
    if (!this.#ownsWorld) return
    await this.reset()
  }

  /** Stops and forgets everything, including data and counts. For tests. */
  async reset(): Promise<void> {
    for (const instance of this.#world.instances.values()) await this.#end(instance, 0)
    this.#world.instances.clear()
    this.#world.data.clear()
    this.#world.replaced.clear()
    this.#world.logs.clear()
    this.#world.nodes = null
    this.#world.forget()
  }

  /** Gives its world several machines, until the next reset. */
  spread(nodes: MemoryNode[], options: { isShared?: boolean } = {}): MemoryNodes {
    return (this.#world.nodes = new MemoryNodes(this.#world.instances, nodes, options))
  }

  /** Returns how often an instance was started, and how many were alive at once. */
  counts(name: string): MemoryCounts {
    return this.#world.counts(name)
  }

  /** Sets faults of one instance name, or of all unnamed ones (`*`). Takes effect at once. */
  behave(name: string, behaviour: MemoryBehaviour): void {
    Object.assign(this.#world.behaviour(name), behaviour)
  }

  /** Ends an instance from outside, like a crash. */
  async crash(name: string, exitCode = 1): Promise<void> {
    const instance = this.#world.instances.get(name)
    if (instance) await this.#end(instance, exitCode, 'It was told to crash.')
  }

  #toInstance({ spec, id, endpoint }: MemoryInstance): Instance {
    return { name: spec.name, id, endpoint, state: { id, engine: this.#world.id } }
  }

  async #start(spec: InstanceSpec, behaviour: MemoryBehaviour): Promise<MemoryInstance> {
    this.#world.nodes?.place(spec)
    const { token, ...pure } = spec
    const sessions = this.#sessionsOf(spec.name)
    const gateway = new MemoryGateway({
      token: token.release(),
      sessions,
      faults: behaviour,
      now: this.#now,
      log: (line) => this.#log(spec.name, line),
      crash: () => void this.crash(spec.name, 1),
    })
    const endpoint = await gateway.start()
    const instance: MemoryInstance = {
      spec: pure,
      id: crypto.randomUUID(),
      endpoint,
      startedAt: new Date(this.#now()),
      status: 'running',
      exitCode: null,
      failure: null,
      use: { resident: INSTANCE_BYTES, swapped: 0 },
      gateway,
    }
    this.#world.instances.set(spec.name, instance)
    this.#world.began(spec.name)
    this.#log(spec.name, `gateway listens on ${endpoint}`)
    this.#world.emit('started', spec.name, this.#now())
    return instance
  }

  async #end(instance: MemoryInstance, exitCode: number, why?: string): Promise<void> {
    const { gateway } = instance
    if (!gateway) return
    instance.gateway = null
    instance.status = 'exited'
    instance.exitCode = exitCode
    instance.failure = why === undefined ? null : { reason: 'exited_early', message: why }
    await gateway.stop()
    this.#world.ended(instance.spec.name)
    this.#world.emit('exited', instance.spec.name, this.#now())
  }

  #setSuspended(name: string, instance: MemoryInstance, suspended: boolean): void {
    const status = suspended ? 'suspended' : 'running'
    if (!instance.gateway || instance.status === status) return
    instance.status = status
    if (!suspended) this.#comeBack(instance)
    if (suspended) instance.gateway.suspend()
    else instance.gateway.resume()
    this.#world.emit(suspended ? 'suspended' : 'resumed', name, this.#now())
  }

  /** Returns the agent's memory; if there is none, what an undone import had set aside. */
  #comeBack(instance: MemoryInstance): void {
    const { resident, swapped } = instance.use
    instance.use = { resident: resident + swapped, swapped: 0 }
    if (!this.#world.machine) return
    this.#world.machine.swapFree += swapped
    this.#world.machine.available -= swapped
  }

  #sessionsOf(name: string): MemorySessions {
    const { data, replaced } = this.#world
    const present = data.get(name)
    if (present) return present
    const sessions = replaced.get(name) ?? new Map()
    replaced.delete(name)
    data.set(name, sessions)
    return sessions
  }

  #isForeign(name: string): boolean {
    return this.#world.instances.has(name) && !this.#owned(name)
  }

  #owned(name: string): MemoryInstance | null {
    const instance = this.#world.instances.get(name)
    return instance?.spec.installation === this.#installation ? instance : null
  }

  #log(name: string, line: string): void {
    const lines = this.#world.logs.get(name) ?? []
    this.#world.logs.set(name, lines)
    lines.push(line.slice(0, LINE_LENGTH))
    if (lines.length > LOG_LINES) lines.shift()
  }
}

function toObserved(instance: MemoryInstance, engine: string): Observed {
  const { spec, gateway } = instance
  return {
    name: spec.name,
    agent: spec.agent,
    id: instance.id,
    generation: spec.generation,
    specHash: spec.hash,
    status: instance.status,
    endpoint: gateway ? instance.endpoint : null,
    startedAt: instance.startedAt,
    exitCode: instance.exitCode,
    outOfMemory: false,
    failure: instance.failure,
    state: { id: instance.id, engine },
  }
}
