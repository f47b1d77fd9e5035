import { isNameConflict, type Engine } from '#runtimes/engine/engine'
import { isOf, LABEL } from '#runtimes/engine/labels'
import { shortHash } from '#runtimes/engine/short_hash'
import { isOutOfSequence } from '#runtimes/drivers/swarm/cluster'
import { longHash } from '#runtimes/drivers/swarm/handed_files'

/** Where an agent's data is, and in which state. */
export interface Home {
  /** The node of its volume; null for data that all nodes reach. */
  node: string | null
  /**
   * `whole`; `unsettled` while it is prepared or replaced, after which the steward has to look at it before a
   * start; `undone` if an import was undone, and nothing but the data set aside is there.
   */
  data: 'whole' | 'unsettled' | 'undone'
  /** Whether an import set earlier data aside. */
  hasAside: boolean
}

const HOME = { node: 'mosaic.node', data: 'mosaic.data', aside: 'mosaic.aside' } as const

interface Stored {
  ID: string
  Version: { Index: number }
  Spec: { Name: string; Labels: Record<string, string> }
}

/**
 * The homes of the agents' data, one config of the swarm each: no manager knows the volumes of another node, and an
 * agent without a service still has its data.
 */
export class Homes {
  readonly #engine: Engine
  readonly #installation: string

  constructor(engine: Engine, installation: string) {
    this.#engine = engine
    this.#installation = installation
  }

  async find(name: string): Promise<Home | null> {
    const found = await this.#stored(name)
    return found && homeOf(found.Spec.Labels)
  }

  /** Returns the names of agents whose data is on this node alone. */
  async on(node: string): Promise<string[]> {
    const labels = [
      [LABEL.installation, this.#installation],
      [LABEL.purpose, 'home'],
      [HOME.node, node],
    ]
    const filters = { label: labels.map((pair) => pair.join('=')) }
    const found = (await this.#engine.call((docker, options) =>
      docker.listConfigs({ filters, ...options } as object)
    )) as Stored[]
    return found.map(({ Spec }) => Spec.Labels[LABEL.name])
  }

  /** Notes the home of an agent's new data. Returns the one that another process noted first, if it did. */
  async claim(name: string, home: Home): Promise<Home> {
    const Data = Buffer.from(name).toString('base64')
    const body = { Name: this.#nameOf(name), Data, Labels: this.#labelsOf(name, home) }
    try {
      await this.#engine.call((docker, options) =>
        docker.createConfig({ ...body, ...options } as object)
      )
      return home
    } catch (error) {
      if (!isNameConflict(error)) throw error
    }
    return (await this.find(name)) ?? this.claim(name, home)
  }

  /** Changes the note of an agent's home. A no-op if there is none. */
  async change(name: string, home: Home): Promise<void> {
    for (;;) {
      const found = await this.#stored(name)
      if (!found) return
      const body = { ...found.Spec, Labels: this.#labelsOf(name, home) }
      const query = { version: found.Version.Index }
      try {
        await this.#engine.call((docker, options) =>
          docker.getConfig(found.ID).update({ _query: query, _body: body, ...options } as object)
        )
        return
      } catch (error) {
        if (!isOutOfSequence(error)) throw error
      }
    }
  }

  async delete(name: string): Promise<void> {
    const found = await this.#stored(name)
    if (!found) return
    await this.#engine.settle((docker, options) =>
      docker.getConfig(found.ID).remove(options as object)
    )
  }

  async #stored(name: string): Promise<Stored | null> {
    const found = (await this.#engine.find(
      (docker, options) =>
        docker.getConfig(this.#nameOf(name)).inspect(options as object) as Promise<unknown>
    )) as Stored | null
    return found && isOf(this.#installation, found.Spec.Labels) ? found : null
  }

  #labelsOf(name: string, home: Home): Record<string, string> {
    return {
      [LABEL.installation]: this.#installation,
      [LABEL.name]: name,
      [LABEL.purpose]: 'home',
      [HOME.node]: home.node ?? '',
      [HOME.data]: home.data,
      [HOME.aside]: home.hasAside ? 'yes' : 'no',
    }
  }

  #nameOf(name: string): string {
    return `mosaic-${shortHash(this.#installation)}-home-${longHash(name)}`
  }
}

function homeOf(labels: Record<string, string>): Home {
  return {
    node: labels[HOME.node] || null,
    data: labels[HOME.data] as Home['data'],
    hasAside: labels[HOME.aside] === 'yes',
  }
}
