import type { Engine } from '#socket_proxy/engine'
import { Refusal } from '#socket_proxy/refusal'

/** Names that Mosaic gives to fetched images. Only allowed images can get one. */
const PINS = 'mosaic-pinned'

/** A reference that is safe in a path: no `..`, nothing that ends the path. */
const REFERENCE = /^[A-Za-z0-9][A-Za-z0-9_.:@-]*(\/[A-Za-z0-9][A-Za-z0-9_.:@-]*)*$/

export interface FoundImage {
  Id: string
  RepoTags?: string[] | null
  RepoDigests?: string[] | null
}

/** The images that agents may use. An image is judged by all names the engine knows for it. */
export class ImageRules {
  readonly #engine: Engine
  readonly #allowed: string[]

  constructor(engine: Engine, allowed: string[]) {
    this.#engine = engine
    this.#allowed = allowed.map(short)
  }

  /**
   * Returns the engine's image for a name or ID; null if there is none.
   *
   * @throws Refusal if it is not allowed
   */
  async find(reference: unknown): Promise<FoundImage | null> {
    if (typeof reference !== 'string' || reference.length > 512 || !REFERENCE.test(reference)) {
      throw new Refusal('This is no name of an image', 400)
    }
    const found = await this.#engine.look<FoundImage>(`/images/${reference}/json`)
    if (found && !this.#isAllowedImage(found)) throw refusalOf(reference)
    if (!found && !isId(reference) && !this.isAllowed(reference)) throw refusalOf(reference)
    return found
  }

  /** @throws Refusal if it may not be fetched */
  checkPull(reference: string): void {
    if (!REFERENCE.test(reference) || isPin(reference) || !this.isAllowed(reference)) {
      throw refusalOf(reference)
    }
  }

  /** @throws Refusal if an image may not get this name */
  checkTag(repository: string | null, tag: string | null): void {
    if (repository === PINS && /^[A-Za-z0-9_.-]{1,128}$/.test(tag ?? '')) return
    throw new Refusal(`Images may be named ${PINS} and nothing else`)
  }

  isAllowed(reference: string): boolean {
    const name = short(reference)
    if (isPin(name)) return true
    return this.#allowed.some((one) => name === one || repositoryOf(name) === one)
  }

  #isAllowedImage({ RepoTags, RepoDigests }: FoundImage): boolean {
    return [...(RepoTags ?? []), ...(RepoDigests ?? [])].some((name) => this.isAllowed(name))
  }
}

function refusalOf(reference: string): Refusal {
  return new Refusal(`The image ${reference} is not among the allowed: SOCKET_PROXY_IMAGES`)
}

function isPin(reference: string): boolean {
  return reference.startsWith(`${PINS}:`)
}

function isId(reference: string): boolean {
  return /^sha256:[0-9a-f]{64}$/.test(reference)
}

/** The engine's short form: Docker Hub images without the registry's name. */
function short(reference: string): string {
  return reference.replace(/^(?:index\.)?docker\.io\//, '').replace(/^library\//, '')
}

/** Returns the reference without tag and digest. */
function repositoryOf(reference: string): string {
  const [name] = reference.split('@')
  const slash = name.lastIndexOf('/')
  const colon = name.indexOf(':', slash)
  return colon === -1 ? name : name.slice(0, colon)
}
