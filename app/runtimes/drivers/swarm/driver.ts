import type { Readable } from 'node:stream'
import { EventFeed } from '#runtimes/event_feed'
import { KeyedQueue } from '#runtimes/keyed_queue'
import { TOKEN_LABEL, withoutToken } from '#runtimes/drivers/swarm/agent_service'
import { LAST_LINES, observe, sightOf } from '#runtimes/drivers/swarm/observation'
import { engineFinding, examine } from '#runtimes/drivers/swarm/preflight'
import { openSwarmSession, type SwarmSession } from '#runtimes/drivers/swarm/session'
import { refuseElsewhere } from '#runtimes/engine/data_place'
import { certificatesStamp } from '#runtimes/engine/engine'
import { LABEL } from '#runtimes/engine/labels'
import type { SwarmDriverConfig } from '#runtimes/drivers/swarm/options'
import type {
  DriverState,
  Instance,
  InstanceRef,
  InstanceSpec,
  Observed,
  RuntimeCallback,
  RuntimeCapabilities,
  RuntimeContext,
  RuntimeDriver,
  RuntimeEvent,
  RuntimeFinding,
  RuntimeNodes,
} from '#runtimes/contract'

/** Maximum number of log lines that the driver reads. */
const MOST_LINES = 10_000

/**
 * Runs one OpenClaw per agent as a service of a Docker swarm, on any of its nodes. The swarm is the source of truth:
 * an agent's state is in the labels and tasks of its service, the place of its data in a config.
 */
export class SwarmDriver implements RuntimeDriver {
  readonly name = 'swarm'
  readonly label = 'Docker Swarm'
  readonly description = 'Agents run in containers on the machines of a Docker swarm.'
  readonly capabilities: RuntimeCapabilities = {
    isolation: 'container',
    suspend: false,
    limits: true,
    multiNode: true,
    events: true,
    placement: true,
  }

  readonly nodes: RuntimeNodes = {
    list: async () => (await this.#open()).capacity.list(),
    drain: async (node) => (await this.#open()).capacity.drain(node),
    reopen: async (node) => (await this.#open()).capacity.reopen(node),
    pinned: async (node) => (await this.#open()).capacity.pinned(node),
  }

  readonly #config: SwarmDriverConfig
  readonly #installation: string
  readonly #queue = new KeyedQueue()
  readonly #feed = new EventFeed()
  #session: { key: string; opened: SwarmSession } | null = null

  constructor(config: SwarmDriverConfig, installation: string) {
    this.#config = config
    this.#installation = installation
  }

  async ensure(spec: InstanceSpec, context: RuntimeContext): Promise<Instance> {
    context.signal.throwIfAborted()
    return this.#queue.run(
      spec.name,
      async () => {
        const { watcher, provisioner } = await this.#open()
        await watcher.settled()
        const instance = await provisioner.ensure(spec, context)
        watcher.note(spec.name, instance.id)
        return instance
      },
      context.signal
    )
  }

  /** The grace is the service's, because a swarm knows no other. */
  async stop({ name }: InstanceRef): Promise<void> {
    await this.#queue.run(name, async () => {
      const { stopper } = await this.#open()
      await stopper.stop(name)
    })
  }

  async inspect({ name }: InstanceRef): Promise<Observed | null> {
    const { services, cluster } = await this.#open()
    const [service, tasks, nodes] = await Promise.all([
      services.findOurs(name),
      services.tasks(name),
      cluster.nodes(),
    ])
    if (!service) return null
    const lines = () => services.logs(service, LAST_LINES)
    return observe(sightOf(service, tasks, nodes), lines)
  }

  async *list(): AsyncIterable<Observed> {
    const { services, cluster, watcher } = await this.#open()
    await watcher.settled()
    const [found, tasks, nodes] = await Promise.all([
      services.agents(),
      services.tasks(null),
      cluster.nodes(),
    ])
    const byName = Map.groupBy(tasks, ({ Spec }) => Spec.ContainerSpec.Labels?.[LABEL.name])
    for (const service of found) {
      const sight = sightOf(service, byName.get(service.Spec.Labels[LABEL.name]) ?? [], nodes)
      yield await observe(sight, () => services.logs(service, LAST_LINES))
    }
  }

  async remove({ name }: InstanceRef): Promise<void> {
    await this.#queue.run(name, async () => this.#remove(await this.#open(), name))
  }

  async purge({ name }: InstanceRef): Promise<void> {
    await this.#queue.run(name, async () => {
      const session = await this.#open()
      await this.#remove(session, name)
      if (await session.data.has(name)) await session.data.purge(name, await imageOf(session))
    })
  }

  async exportData(
    { name, state }: InstanceRef,
    context: RuntimeContext
  ): Promise<Readable | null> {
    return this.#queue.run(name, async () => {
      const session = await this.#open()
      if (!(await session.data.has(name))) {
        refuseElsewhere(name, state, await session.cluster.identity())
        return null
      }
      return session.data.export(name, await imageOf(session, context), context)
    })
  }

  async importData(
    spec: InstanceSpec,
    data: Readable,
    context: RuntimeContext
  ): Promise<DriverState> {
    return this.#queue.run(spec.name, async () => {
      const session = await this.#open()
      await this.#remove(session, spec.name)
      await session.data.import(spec, await imageOf(session, context), data, context)
      return { engine: await session.cluster.identity() }
    })
  }

  async keepImport({ name }: InstanceRef): Promise<void> {
    await this.#queue.run(name, async () => {
      const session = await this.#open()
      if (await session.data.has(name)) await session.data.keep(name, await imageOf(session))
    })
  }

  async undoImport({ name }: InstanceRef): Promise<boolean> {
    return this.#queue.run(name, async () => {
      const session = await this.#open()
      const home = await session.homes.find(name)
      if (!home?.hasAside) return false
      await this.#remove(session, name)
      return session.data.undo(name, await imageOf(session))
    })
  }

  async *logs({ name }: InstanceRef, { tail }: { tail: number }): AsyncIterable<string> {
    const { services } = await this.#open()
    const service = await services.findOurs(name)
    if (!service || tail <= 0) return
    const lines = await services.logs(service, Math.min(tail, MOST_LINES))
    for (const line of lines) yield withoutToken(line, service.Spec.Labels[TOKEN_LABEL])
  }

  events(signal: AbortSignal): AsyncIterable<RuntimeEvent> {
    const heard = this.#feed.listen(signal)
    const start = ({ watcher }: SwarmSession) => !signal.aborted && watcher.start()
    this.#open().then(start, () => {})
    const end = () => {
      if (!this.#feed.hasListeners) this.#session?.opened.watcher.stop()
    }
    signal.addEventListener('abort', end, { once: true })
    return heard
  }

  /** Has the manager fetch the image; the guards have every node fetch it. */
  async prepare(image: string | null, context: RuntimeContext): Promise<void> {
    const { images, ground, image: usual } = await this.#open()
    const pinned = await images.resolve(image ?? usual, context)
    if (image === null || image === usual) await ground.require(pinned)
  }

  async callback(): Promise<RuntimeCallback> {
    return (await this.#open()).ground.callback()
  }

  async preflight(): Promise<RuntimeFinding[]> {
    return this.#open()
      .then(examine)
      .catch((error: unknown) => [engineFinding(error)])
  }

  async close(): Promise<void> {
    this.#session?.opened.watcher.stop()
    this.#session?.opened.pulls.close()
  }

  async #remove({ stopper, files, watcher }: SwarmSession, name: string): Promise<void> {
    await stopper.remove(name)
    await files.prune(name)
    watcher.gone(name)
  }

  /** Opens the manager that the current settings name, with the current certificates. */
  async #open(): Promise<SwarmSession> {
    const settings = await this.#config.settings()
    const key = JSON.stringify([settings, certificatesStamp(this.#config)])
    const former = this.#session
    if (former?.key === key) return former.opened
    const opened = openSwarmSession(this.#config, settings, this.#installation, this.#feed)
    this.#session = { key, opened }
    former?.opened.watcher.stop()
    former?.opened.pulls.close()
    if (this.#feed.hasListeners) {
      opened.watcher.start()
      if (former) this.#feed.emit({ type: 'interrupted', name: '', at: new Date() })
    }
    return opened
  }
}

/** The image of the driver's own services. */
function imageOf(
  { images, image }: SwarmSession,
  context: RuntimeContext = { signal: new AbortController().signal }
): Promise<string> {
  return images.resolve(image, context)
}
