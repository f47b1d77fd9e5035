import type { Engine } from '#socket_proxy/engine'
import { Refusal } from '#socket_proxy/refusal'
import type { Installation } from '#socket_proxy/installation'

type Labels = Record<string, string> | null | undefined

export interface FoundContainer {
  Id: string
  Name?: string
  Config?: { Labels?: Labels; Env?: unknown }
  State?: { Status?: string; Running?: boolean }
  NetworkSettings?: {
    Networks?: Record<string, { IPAddress?: string; GlobalIPv6Address?: string }> | null
  }
}

export interface FoundVolume {
  Name: string
  Labels?: Labels
}

export interface FoundNetwork {
  Id: string
  Name: string
  Labels?: Labels
}

/** Finds out whose something is, before anything is done to it. */
export class Belongings {
  readonly #engine: Engine
  readonly #installation: Installation

  constructor(engine: Engine, installation: Installation) {
    this.#engine = engine
    this.#installation = installation
  }

  container(name: string): Promise<FoundContainer | null> {
    return this.#engine.look(`/containers/${name}/json`)
  }

  volume(name: string): Promise<FoundVolume | null> {
    return this.#engine.look(`/volumes/${name}`)
  }

  network(name: string): Promise<FoundNetwork | null> {
    return this.#engine.look(`/networks/${name}`)
  }

  ownsContainer({ Config }: FoundContainer): boolean {
    return this.#installation.owns(Config?.Labels)
  }

  owns({ Labels: labels }: FoundVolume | FoundNetwork): boolean {
    return this.#installation.owns(labels)
  }

  /**
   * Whether it is the container that the request comes from, which is Mosaic's own: nobody else reaches the
   * proxy. The engine gave it the address, so it is this one container, whatever names and labels others have.
   *
   * @param caller the address at the other end of the connection
   */
  isCaller({ NetworkSettings }: FoundContainer, caller: string): boolean {
    const address = caller.replace(/^::ffff:/, '')
    const networks = Object.values(NetworkSettings?.Networks ?? {})
    return networks.some(
      ({ IPAddress, GlobalIPv6Address }) =>
        address !== '' && (IPAddress === address || GlobalIPv6Address === address)
    )
  }

  /**
   * A container of ours, or null where there is none of that name.
   *
   * @throws Refusal when it is somebody else's
   */
  async ourContainer(name: string): Promise<FoundContainer | null> {
    const found = await this.container(name)
    if (found && !this.ownsContainer(found)) throw foreign('container', name)
    return found
  }

  /** As `ourContainer`. */
  async ourVolume(name: string): Promise<FoundVolume | null> {
    const found = await this.volume(name)
    if (found && !this.owns(found)) throw foreign('volume', name)
    return found
  }

  /** As `ourContainer`. */
  async ourNetwork(name: string): Promise<FoundNetwork | null> {
    const found = await this.network(name)
    if (found && !this.owns(found)) throw foreign('network', name)
    return found
  }
}

function foreign(kind: string, name: string): Refusal {
  return new Refusal(`The ${kind} ${name} was not made by this installation`)
}
