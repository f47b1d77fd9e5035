import type { Readable } from 'node:stream'
import { EventFeed } from '#runtimes/event_feed'
import { KeyedQueue } from '#runtimes/keyed_queue'
import type { RuntimeError } from '#runtimes/errors'
import { examine } from '#runtimes/drivers/docker/preflight'
import { stateVolume } from '#runtimes/drivers/docker/volumes'
import { CurrentEngine } from '#runtimes/drivers/docker/current_engine'
import type { EngineSession } from '#runtimes/drivers/docker/engine_session'
import type { Found } from '#runtimes/drivers/docker/containers'
import type { DockerDriverConfig } from '#runtimes/drivers/docker/options'
import type {
  DriverState,
  Instance,
  InstanceRef,
  InstanceSpec,
  MachineMemory,
  MemoryUse,
  Observed,
  RuntimeCapabilities,
  RuntimeContext,
  RuntimeDriver,
  RuntimeEvent,
  RuntimeFinding,
} from '#runtimes/contract'

export type { DockerDriverConfig, DockerSettings } from '#runtimes/drivers/docker/options'

/** Maximum number of log lines that the driver reads. */
const MOST_LINES = 10_000

/**
 * Runs one OpenClaw per agent in a hardened container of a Docker engine, or of Podman through its
 * Docker API. The engine is the source of truth: an agent's state is in the labels of its container.
 */
export class DockerDriver implements RuntimeDriver {
  readonly name = 'docker'
  readonly capabilities: RuntimeCapabilities = {
    isolation: 'container',
    suspend: true,
    pageOut: process.getuid?.() === 0,
    limits: true,
    multiNode: false,
    events: true,
  }

  readonly #config: DockerDriverConfig
  readonly #queue = new KeyedQueue()
  readonly #feed = new EventFeed()
  readonly #engine: CurrentEngine

  constructor(config: DockerDriverConfig, installation: string) {
    this.#config = config
    this.#engine = new CurrentEngine(config, installation, { feed: this.#feed, queue: this.#queue })
  }

  async ensure(spec: InstanceSpec, context: RuntimeContext): Promise<Instance> {
    context.signal.throwIfAborted()
    return this.#queue.run(
      spec.name,
      async () => {
        const { watcher, maker } = await this.#open()
        await watcher.settled()
        return maker.ensure(spec, context)
      },
      context.signal
    )
  }

  async stop({ name }: InstanceRef, { graceMs }: { graceMs: number }): Promise<void> {
    await this.#change(name, ({ containers }, found) => containers.stop(found, graceMs))
  }

  async suspend({ name }: InstanceRef): Promise<void> {
    await this.#change(name, async ({ containers }, { Id, State }) => {
      if (State.Running && !State.Paused) await containers.pause(Id)
    })
  }

  async resume({ name }: InstanceRef): Promise<void> {
    await this.#change(name, async ({ containers, memory }, found) => {
      if (!found.State.Paused) return
      await memory.restore(found)
      await containers.unpause(found.Id)
    })
  }

  /** Bypasses the queue of changes, so that a resume does not wait; the next step notices it. */
  async pageOut({ name }: InstanceRef, { signal }: { signal: AbortSignal }): Promise<void> {
    const { containers, memory } = await this.#open()
    const paused = async () => {
      const found = signal.aborted ? null : await containers.findOurs(name)
      return found?.State.Paused ? found : null
    }
    const found = await paused()
    if (found) await memory.pageOut(found, async () => (await paused()) !== null)
  }

  async usage({ name }: InstanceRef): Promise<MemoryUse | null> {
    const { containers, memory } = await this.#open()
    const found = await containers.findOurs(name)
    return found && memory.use(found)
  }

  async memory(): Promise<MachineMemory | null> {
    return (await this.#open()).memory.machine()
  }

  async inspect({ name }: InstanceRef): Promise<Observed | null> {
    const { containers } = await this.#open()
    const found = await containers.findReached(name)
    return found && containers.observe(found)
  }

  async *list(): AsyncIterable<Observed> {
    const { containers, watcher } = await this.#open()
    await watcher.settled()
    for await (const found of containers.all()) yield await containers.observe(found)
  }

  async remove({ name }: InstanceRef): Promise<void> {
    await this.#queue.run(name, async () => this.#remove(await this.#open(), name))
  }

  async purge({ name }: InstanceRef): Promise<void> {
    await this.#queue.run(name, async () => {
      const parts = await this.#open()
      await this.#remove(parts, name)
      await parts.volumes.deleteState(name)
      await parts.replaced.delete(name)
    })
  }

  async exportData(
    { name, state }: InstanceRef,
    context: RuntimeContext
  ): Promise<Readable | null> {
    return this.#queue.run(name, async () => {
      const parts = await this.#open()
      if (!(await parts.volumes.hasState(name, state))) return null
      const found = await parts.containers.findOurs(name)
      const image = found?.Image ?? (await this.#image(parts, null, context))
      return parts.volumes.pack(stateVolume(name), image, context.signal)
    })
  }

  async importData(
    spec: InstanceSpec,
    data: Readable,
    context: RuntimeContext
  ): Promise<DriverState> {
    return this.#queue.run(spec.name, async () => {
      const parts = await this.#open()
      const { volumes, containers, replaced } = parts
      const image = await this.#image(parts, spec.image, context)
      const found = await containers.findOurs(spec.name)
      if (found) await containers.remove(found.Id)
      await replaced.setAside(spec.name, image, context.signal)
      try {
        await volumes.refillState(spec.name, image, (volume) =>
          volumes.unpack(volume, image, data, context.signal)
        )
      } catch (error) {
        // The next start restores the data set aside.
        throw context.signal.aborted ? context.signal.reason : error
      }
      return { engine: await parts.engine.identity() }
    })
  }

  async keepImport({ name }: InstanceRef): Promise<void> {
    await this.#queue.run(name, async () => (await this.#open()).replaced.delete(name))
  }

  async undoImport({ name }: InstanceRef): Promise<boolean> {
    return this.#queue.run(name, async () => {
      const parts = await this.#open()
      if (!(await parts.replaced.has(name))) return false
      await this.#remove(parts, name)
      await parts.volumes.deleteState(name)
      return true
    })
  }

  async *logs({ name }: InstanceRef, { tail }: { tail: number }): AsyncIterable<string> {
    const { containers, handover } = await this.#open()
    const found = await containers.findOurs(name)
    if (!found || tail <= 0) return

    const lines = await containers.logs(found.Id, Math.min(tail, MOST_LINES))
    const token = await handover.token(name).catch(() => null)
    if (!token) {
      yield 'The log is held back: its token is not known any more, so it could not be taken out.'
      return
    }
    for (const line of lines) yield line.replaceAll(token, '[token]')
  }

  events(signal: AbortSignal): AsyncIterable<RuntimeEvent> {
    const heard = this.#feed.listen(signal)
    const opened = this.#open()
    const start = (parts: EngineSession) => !signal.aborted && parts.watcher.start()
    opened.then(start, () => {})
    signal.addEventListener('abort', () => void this.#engine.unwatch(), { once: true })
    return heard
  }

  /**
   * Pulls the image in advance, so that no wake has to wait for it.
   *
   * @param image null means the default image
   * @throws RuntimeError, the signal's reason
   */
  async prepare(image: string | null, context: RuntimeContext): Promise<void> {
    const { images, image: usual, settings } = await this.#open()
    // With `always`, each start checks the registry itself.
    const policy = settings.pullPolicy === 'always' ? 'missing' : settings.pullPolicy
    await images.resolve(image ?? usual, policy, context)
  }

  async callback(): Promise<{ host: string; listen: string | null }> {
    const { topology } = await this.#open()
    await topology.prepare()
    return topology.callback()
  }

  async preflight(): Promise<RuntimeFinding[]> {
    try {
      const processors = (await this.#config.processors?.()) ?? null
      const { freeBytes } = this.#config
      return await examine({ ...(await this.#open()), processors, freeBytes })
    } catch (error) {
      const { message, help } = error as RuntimeError
      const hint = help ?? 'The log of Mosaic says more.'
      return [{ severity: 'error', code: 'docker_unreachable', message, hint }]
    }
  }

  async close(): Promise<void> {
    await this.#engine.close()
  }

  #image(parts: EngineSession, image: string | null, context: RuntimeContext) {
    return parts.images.resolve(image ?? parts.image, parts.settings.pullPolicy, context)
  }

  /** Removes the container and its resources, even if an admin removed the container by hand. */
  async #remove({ containers, handover, topology }: EngineSession, name: string): Promise<void> {
    const found = await containers.findOurs(name)
    if (found) await containers.remove(found.Id)
    await handover.delete(name)
    await topology.release(name)
  }

  /** Runs one exclusive operation on a container of this installation. A no-op if it is missing. */
  async #change(
    name: string,
    task: (parts: EngineSession, found: Found) => Promise<void>
  ): Promise<void> {
    await this.#queue.run(name, async () => {
      const parts = await this.#open()
      const found = await parts.containers.findOurs(name)
      if (found) await task(parts, found)
    })
  }

  #open(): Promise<EngineSession> {
    return this.#engine.open()
  }
}
