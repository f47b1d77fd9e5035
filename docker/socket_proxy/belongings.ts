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

/** Determines the owner of an object before anything is done to it. */
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
   * Returns whether the request comes from this container, which is Mosaic's own: nothing else reaches the
   * proxy. The engine assigned the address, so it identifies exactly one container, whatever names and labels
   * others have.
   *
   * @param caller the remote address of the connection
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
   * Returns one of our containers, or null if there is none of that name.
   *
   * @throws Refusal if it belongs to someone else
   */
  async ourContainer(name: string): Promise<FoundContainer | null> {
    const found = await this.container(name)
    if (found && !this.ownsContainer(found)) throw foreign('container', name)
    return found
  }

  /** Like `ourContainer`. */
  async ourVolume(name: string): Promise<FoundVolume | null> {
    const found = await this.volume(name)
    if (found && !this.owns(found)) throw foreign('volume', name)
    return found
  }

  /** Like `ourContainer`. */
  async ourNetwork(name: string): Promise<FoundNetwork | null> {
    const found = await this.network(name)
    if (found && !this.owns(found)) throw foreign('network', name)
    return found
  }
}

function foreign(kind: string, name: string): Refusal {
  return new Refusal(`The ${kind} ${name} was not made by this installation`)
}
