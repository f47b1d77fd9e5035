import type { Readable } from 'node:stream'
import { finished } from 'node:stream/promises'
import { RuntimeError } from '#runtimes/errors'
import type { InstanceSpec, NodeLabels, RuntimeContext } from '#runtimes/contract'
import type { DrainedNodes } from '#runtimes/drivers/swarm/drained_nodes'
import type { Ground } from '#runtimes/drivers/swarm/ground'
import type { Home, Homes } from '#runtimes/drivers/swarm/homes'
import { excluded, labelled, listed, type SwarmSettings } from '#runtimes/drivers/swarm/options'
import type { StateMounts } from '#runtimes/drivers/swarm/state_mounts'
import type { Steward, StewardPlace } from '#runtimes/drivers/swarm/steward'

/** The data of agents: where it is, and what becomes of it. */
export class AgentData {
  readonly #homes: Homes
  readonly #steward: Steward
  readonly #ground: Ground
  readonly #drained: DrainedNodes
  readonly #mounts: StateMounts
  readonly #settings: SwarmSettings

  constructor(parts: {
    homes: Homes
    steward: Steward
    ground: Ground
    drained: DrainedNodes
    mounts: StateMounts
    settings: SwarmSettings
  }) {
    this.#homes = parts.homes
    this.#steward = parts.steward
    this.#ground = parts.ground
    this.#drained = parts.drained
    this.#mounts = parts.mounts
    this.#settings = parts.settings
  }

  /**
   * Returns the location of data that the agent can start with. An agent without data gets a new location; after a
   * failed import its former data is restored.
   *
   * @param placement labels of the nodes that new data may go to
   * @throws RuntimeError, E_RUNTIME_NAME_TAKEN if the data at its place is another's
   */
  async settled(
    name: string,
    image: string,
    context: RuntimeContext,
    placement?: NodeLabels
  ): Promise<Home> {
    const home = await this.#homes.find(name)
    if (home && (home.node === null) !== this.#mounts.isShared) throw elsewhere(name, home)
    if (home?.data === 'whole') return home
    context.onProgress?.('Preparing the data')
    const place = await this.#place(name, home, image, placement)
    const node = await this.#steward.run('prepare', place, context.signal)
    const hasAside = home?.data === 'undone' ? false : (home?.hasAside ?? false)
    const whole: Home = { node: this.#mounts.isShared ? null : node, data: 'whole', hasAside }
    if (!home) return this.#homes.claim(name, whole)
    await this.#homes.change(name, whole)
    return whole
  }

  async export(name: string, image: string, context: RuntimeContext): Promise<Readable | null> {
    const home = await this.#homes.find(name)
    if (!home || home.data === 'undone') return null
    const settled = await this.settled(name, image, context)
    return this.#steward.export(await this.#place(name, settled, image), context)
  }

  async import(
    spec: InstanceSpec,
    image: string,
    data: Readable,
    context: RuntimeContext
  ): Promise<void> {
    // A stream that broke off while the place was prepared must not end this process.
    const arrived = finished(data, { writable: false })
    arrived.catch(() => {})
    const former = await this.#homes.find(spec.name)
    const wasUndone = former?.data === 'undone'
    const home = wasUndone ? former : await this.settled(spec.name, image, context, spec.placement)
    const place = await this.#place(spec.name, home, image)
    await this.#homes.change(spec.name, { ...home, data: 'unsettled' })
    try {
      const { hasAside } = await this.#steward.import(place, data, context)
      // The folder of an agent that had nothing is no data of its own.
      const isFirst = former === null
      if (isFirst && hasAside) await this.#steward.run('keep', place, context.signal)
      await this.#homes.change(spec.name, {
        ...home,
        data: 'whole',
        hasAside: hasAside && !isFirst,
      })
    } catch (error) {
      data.destroy()
      if (former === null) await this.purge(spec.name, image)
      throw context.signal.aborted ? context.signal.reason : error
    }
  }

  async keep(name: string, image: string): Promise<void> {
    const home = await this.#homes.find(name)
    if (!home?.hasAside) return
    await this.#steward.run('keep', await this.#place(name, home, image))
    await this.#homes.change(name, { ...home, hasAside: false })
  }

  async undo(name: string, image: string): Promise<boolean> {
    const home = await this.#homes.find(name)
    if (!home?.hasAside) return false
    await this.#homes.change(name, { ...home, data: 'undone' })
    await this.#steward.run('undo', await this.#place(name, home, image))
    return true
  }

  async purge(name: string, image: string): Promise<void> {
    const home = await this.#homes.find(name)
    if (!home) return
    await this.#steward.run('purge', await this.#place(name, home, image))
    await this.#homes.delete(name)
  }

  async has(name: string): Promise<boolean> {
    return (await this.#homes.find(name)) !== null
  }

  /** A drained node still serves the data that it has. */
  async #place(
    name: string,
    home: Home | null,
    image: string,
    placement?: NodeLabels
  ): Promise<StewardPlace> {
    const { network, constraint, closed } = await this.#ground.require(image)
    const constraints = [
      constraint,
      ...listed(this.#settings.constraints),
      ...(home?.node
        ? []
        : [...labelled(placement), ...excluded(closed), ...(await this.#drained.constraints())]),
    ]
    return { name, node: home?.node ?? null, image, network, constraints }
  }
}

function elsewhere(name: string, { node }: Home): RuntimeError {
  const place = node === null ? 'where all nodes reach it' : `on the node ${node}`
  return new RuntimeError('data_stranded', `The data of ${name} is ${place}.`, {
    help: 'Set the shared folder or volume driver of the runtime back; move agents to another runtime before you change it.',
  })
}
