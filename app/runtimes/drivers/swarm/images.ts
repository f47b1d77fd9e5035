import { RuntimeError } from '#runtimes/errors'
import type { RuntimeContext } from '#runtimes/contract'
import type { Engine } from '#runtimes/engine/engine'
import type { Images as EngineImages } from '#runtimes/engine/images'

/** Age at which the name of an image is looked up again. */
const FRESH_MS = 30_000

/**
 * Agents' images by digest, or by id if the manager has one that no registry knows. By name, each start would ask the
 * registry first, and nodes might run different ones.
 */
export class PinnedImages {
  readonly #engine: Engine
  readonly #images: EngineImages
  readonly #known = new Map<string, { pinned: string; at: number }>()

  constructor(engine: Engine, images: EngineImages) {
    this.#engine = engine
    this.#images = images
  }

  /**
   * Returns the reference that nodes start from. The manager fetches an image that it lacks; other nodes fetch it
   * by digest when they first run it.
   *
   * @throws RuntimeError `image_missing`, `pull_timeout`, `engine_unreachable`; the signal's reason
   */
  async resolve(reference: string, context: RuntimeContext): Promise<string> {
    const known = this.#known.get(reference)
    if (known && performance.now() - known.at < FRESH_MS) return known.pinned
    const id = await this.#images.resolve(reference, 'missing', context)
    const found = await this.#engine.find((docker) => docker.getImage(id).inspect())
    if (!found) throw new RuntimeError('image_missing', `The manager lost the image ${reference}.`)
    const pinned = digestOf(reference, found.RepoDigests ?? []) ?? found.Id
    this.#known.set(reference, { pinned, at: performance.now() })
    return pinned
  }
}

/** Returns the digest of this reference's own repository. */
export function digestOf(reference: string, digests: string[]): string | null {
  const [name] = reference.split('@')
  // A colon before the last slash belongs to the port of a registry.
  const tag = name.indexOf(':', name.lastIndexOf('/') + 1)
  const repository = tag === -1 ? name : name.slice(0, tag)
  return digests.find((one) => one.split('@')[0] === repository) ?? null
}
