import type { Engine } from '#socket_proxy/engine'
import { Refusal } from '#socket_proxy/refusal'
import type { Installation } from '#socket_proxy/installation'

type Labels = Record<string, string> | null | undefined

export interface FoundContainer {
  Id: string
  Name?: string
  Config?: { Labels?: Labels; Env?: unknown }
  State?: { Status?: string; Running?: boolean }
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

/** The container that Mosaic itself runs in carries it: compose says so, and no request can. */
export const SERVER_LABEL = 'mosaic.server'

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

  /** Whether it is a container of Mosaic itself. */
  isServer({ Config }: FoundContainer): boolean {
    return Config?.Labels?.[SERVER_LABEL] === 'true'
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
