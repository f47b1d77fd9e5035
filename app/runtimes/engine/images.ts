import { raceSignal } from '#timing/race_signal'
import type { Readable } from 'node:stream'
import { readLines } from '#bounded/lines'
import { RuntimeError } from '#runtimes/errors'
import type { RuntimeContext } from '#runtimes/contract'
import { shortHash } from '#runtimes/engine/short_hash'
import { statusOf, type Engine } from '#runtimes/engine/engine'
import { PullProgress, type PullLine } from '#runtimes/engine/pull_progress'

/** A line reports one step of one layer in a few hundred bytes. */
const PROGRESS = { what: 'The progress of a fetch', maxLineBytes: 64 * 1024 }

/** When an image is pulled: if the engine lacks it, before each start, or only by hand. */
export type PullPolicy = 'missing' | 'always' | 'never'

/** Local names of pulled images; never sent to a registry. */
const PINS = 'mosaic-pinned'

interface Pull {
  done: Promise<string>
  /** Progress in words. */
  progress: PullProgress
  listeners: Set<(detail: string) => void>
}

/**
 * The agents' images. An image is pinned once it is found or pulled: agents start from that exact
 * image, by id, until the next pull, whatever happens to its name on the engine.
 */
export class Images {
  readonly #engine: Engine
  readonly #installation: string
  readonly #budgetMs: number
  readonly #pulls = new Map<string, Pull>()
  readonly #closed = new AbortController()

  constructor(engine: Engine, installation: string, budgetMs: number) {
    this.#engine = engine
    this.#installation = installation
    this.#budgetMs = budgetMs
  }

  /**
   * Returns the id of the image to start from, pulled if the policy requires it.
   *
   * @throws RuntimeError `image_missing`, `pull_timeout`, `engine_unreachable`; the signal's reason
   */
  async resolve(reference: string, policy: PullPolicy, context: RuntimeContext): Promise<string> {
    if (policy === 'always' && !isId(reference)) return this.pull(reference, context)

    const pinned = await this.find(this.#pin(reference))
    if (pinned) return pinned
    const present = await this.find(reference)
    if (present) {
      await this.#keep(reference, present)
      return present
    }
    if (policy === 'missing' && !isId(reference)) return this.pull(reference, context)
    throw new RuntimeError('image_missing', `The engine does not have the image ${reference}.`, {
      help: `Fetch it with "docker pull ${reference}", or let Mosaic fetch images in the settings.`,
    })
  }

  /** Returns the id of an image on the engine, or null. */
  async find(reference: string): Promise<string | null> {
    const image = await this.#engine.find((docker) => docker.getImage(reference).inspect())
    return image?.Id ?? null
  }

  /** Whether agents could start from it without a pull. */
  async isPresent(reference: string): Promise<boolean> {
    return ((await this.find(this.#pin(reference))) ?? (await this.find(reference))) !== null
  }

  /**
   * Pulls an image and pins it. Concurrent callers share one pull. A caller that leaves does not end
   * it, so the next one finds more of it done.
   */
  async pull(reference: string, { signal, onProgress }: RuntimeContext): Promise<string> {
    signal.throwIfAborted()
    let pull = this.#pulls.get(reference)
    if (!pull) {
      pull = {
        listeners: new Set(),
        progress: new PullProgress(),
        done: Promise.resolve(''),
      }
      pull.done = this.#fetch(reference, pull).finally(() => this.#pulls.delete(reference))
      pull.done.catch(() => {})
      this.#pulls.set(reference, pull)
    }
    if (onProgress) {
      pull.listeners.add(onProgress)
      onProgress(pull.progress.detail)
    }
    try {
      return await raceSignal(pull.done, signal)
    } finally {
      if (onProgress) pull.listeners.delete(onProgress)
    }
  }

  close(): void {
    this.#closed.abort()
  }

  async #fetch(reference: string, { listeners, progress }: Pull): Promise<string> {
    const budget = AbortSignal.timeout(this.#budgetMs)
    const abortSignal = AbortSignal.any([budget, this.#closed.signal])
    try {
      const stream = await this.#engine.docker.pull(withTag(reference), { abortSignal })
      await this.#follow(stream as Readable, abortSignal, (line) => {
        if (progress.add(line)) listeners.forEach((listener) => listener(progress.detail))
      })
    } catch (error) {
      if (budget.aborted) throw this.#tooSlow(reference)
      throw this.#explained(reference, error as Error)
    }
    const id = await this.find(reference)
    if (!id) throw this.#explained(reference, new Error('it was fetched, and is not there'))
    await this.#keep(reference, id)
    return id
  }

  async #follow(stream: Readable, signal: AbortSignal, onLine: (line: PullLine) => void) {
    for await (const text of readLines(stream, { ...PROGRESS, signal })) {
      if (text === '') continue
      const line = JSON.parse(text) as PullLine & { error?: string }
      if (line.error) throw new Error(line.error)
      onLine(line)
    }
  }

  /**
   * Tags the image with a name of ours, so that it survives when its own name moves on, and is not
   * pruned.
   */
  async #keep(reference: string, id: string): Promise<void> {
    const [repo, tag] = this.#pin(reference).split(':')
    await this.#engine.settle((docker, options) =>
      docker.getImage(id).tag({ repo, tag, ...options })
    )
  }

  #pin(reference: string): string {
    return `${PINS}:${shortHash(this.#installation)}-${shortHash(reference)}`
  }

  #tooSlow(reference: string): RuntimeError {
    const minutes = Math.round(this.#budgetMs / 60_000)
    return new RuntimeError('pull_timeout', `Fetching ${reference} took over ${minutes} minutes.`, {
      help: `Fetch it with "docker pull ${reference}": what has arrived is kept.`,
    })
  }

  #explained(reference: string, cause: Error): RuntimeError {
    const explained = this.#engine.explained(cause)
    if (explained.reason === 'engine_unreachable' || explained.reason === 'no_capacity') {
      return explained
    }
    const text = statusOf(cause) === 404 ? 'its registry has no such image' : explained.message
    return new RuntimeError('image_missing', `${reference} could not be fetched: ${text}`, {
      cause,
      help: 'Check the name of the image in the settings, and that the engine reaches its registry.',
    })
  }
}

/** Adds a tag: without one the engine pulls every tag of the name. */
function withTag(reference: string): string {
  const last = reference.slice(reference.lastIndexOf('/') + 1)
  return last.includes(':') || last.includes('@') ? reference : `${reference}:latest`
}

/** An id names a local image: no registry knows it. */
function isId(reference: string): boolean {
  return /^sha256:[0-9a-f]{64}$/.test(reference)
}
