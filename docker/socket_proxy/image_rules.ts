import type { Engine } from '#socket_proxy/engine'
import { Refusal } from '#socket_proxy/refusal'

/** Names that Mosaic gives to images that it has fetched. Only images that are allowed can get one. */
const PINS = 'mosaic-pinned'

/** A reference as it may stand in a path: no step upwards, nothing that ends the path. */
const REFERENCE = /^[A-Za-z0-9][A-Za-z0-9_.:@-]*(\/[A-Za-z0-9][A-Za-z0-9_.:@-]*)*$/

export interface FoundImage {
  Id: string
  RepoTags?: string[] | null
  RepoDigests?: string[] | null
}

/** Which images agents may be made from. An image is judged by all names that the engine knows it by. */
export class ImageRules {
  readonly #engine: Engine
  readonly #allowed: string[]

  constructor(engine: Engine, allowed: string[]) {
    this.#engine = engine
    this.#allowed = allowed.map(short)
  }

  /**
   * What the engine has under a name or an id; null where it has nothing.
   *
   * @throws Refusal when it is not among the allowed
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

  /** @throws Refusal when it may not be fetched */
  checkPull(reference: string): void {
    if (!REFERENCE.test(reference) || isPin(reference) || !this.isAllowed(reference)) {
      throw refusalOf(reference)
    }
  }

  /** @throws Refusal when an image may not be given this name */
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

/** As the engine shows it: what is on Docker's own registry without the registry's name. */
function short(reference: string): string {
  return reference.replace(/^(?:index\.)?docker\.io\//, '').replace(/^library\//, '')
}

/** Without its tag and digest. */
function repositoryOf(reference: string): string {
  const [name] = reference.split('@')
  const slash = name.lastIndexOf('/')
  const colon = name.indexOf(':', slash)
  return colon === -1 ? name : name.slice(0, colon)
}
