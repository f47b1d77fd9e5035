import type { Readable } from 'node:stream'
import { readLines } from '#bounded/lines'
import { setTimeout as after } from 'node:timers/promises'
import type { RuntimeEvent } from '#runtimes/contract'
import type { EventFeed } from '#runtimes/event_feed'
import type { Engine } from '#runtimes/engine/engine'
import { agentsOf, LABEL } from '#runtimes/engine/labels'
import { Watch } from '#runtimes/engine/watch'

/** Interval of full listings, which find what the event stream missed. */
const RELIST_MS = 45_000

/** Events of containers include the labels of their image. */
const EVENT_BYTES = 1024 * 1024

const FIRST_RETRY_MS = 200
const LONGEST_RETRY_MS = 5000

type Status = 'running' | 'suspended' | 'exited'

interface Known {
  id: string
  status: Status
}

interface EngineEvent {
  Action?: string
  status?: string
  timeNano?: number
  time?: number
  Actor?: { ID?: string; Attributes?: Record<string, string> }
}

/**
 * Emits events of the agents' containers. It compares them with the known state, so that nothing is
 * reported twice, and lists all containers each time the engine was unreachable.
 */
export class Watcher {
  readonly #engine: Engine
  readonly #installation: string
  readonly #feed: Pick<EventFeed, 'emit'>
  readonly #onLook: () => Promise<void>
  readonly #known = new Map<string, Known>()
  readonly #watch = new Watch((signal) => this.#keepOn(signal))
  #hasLooked = false
  /** Whether the stream broke, so that ends are unknown until somebody looks. */
  #isLost = false

  /** @param onLook is called at each full listing */
  constructor(
    engine: Engine,
    installation: string,
    feed: Pick<EventFeed, 'emit'>,
    onLook: () => Promise<void>
  ) {
    this.#onLook = onLook
    this.#engine = engine
    this.#installation = installation
    this.#feed = feed
  }

  /** Starts watching. Idempotent. */
  start(): void {
    this.#watch.start()
  }

  stop(): void {
    this.#watch.stop()
    this.#known.clear()
    this.#hasLooked = false
    this.#isLost = false
  }

  /**
   * Resolves once the current state is known and its events are emitted, or if nobody watches. Call it before a
   * start, because an engine reuses the address of an instance that has ended.
   *
   * @throws RuntimeError if the engine does not answer
   */
  async settled(): Promise<void> {
    await this.#watch.settled()
    if (this.#isLost) await this.#look(this.#watch.signal)
  }

  async #keepOn(signal: AbortSignal): Promise<void> {
    let retryMs = FIRST_RETRY_MS
    while (!signal.aborted) {
      const began = performance.now()
      await this.#follow(signal).catch(() => {})
      if (signal.aborted) return
      if (this.#hasLooked && !this.#isLost) this.#tell('interrupted', '', new Date())
      this.#isLost = true
      this.#watch.connect()
      if (performance.now() - began > LONGEST_RETRY_MS) retryMs = FIRST_RETRY_MS
      await after(retryMs, undefined, { signal, ref: false }).catch(() => {})
      retryMs = Math.min(2 * retryMs, LONGEST_RETRY_MS)
    }
  }

  /** Opens the stream before listing, so that it holds the events in between. */
  async #follow(signal: AbortSignal): Promise<void> {
    const filters = JSON.stringify({ type: ['container'], ...agentsOf(this.#installation) })
    const stream = (await this.#engine.call((docker) =>
      docker.getEvents({ filters })
    )) as unknown as Readable
    const cut = () => stream.destroy()
    signal.addEventListener('abort', cut, { once: true })
    const relist = setInterval(() => void this.#look(signal).catch(cut), RELIST_MS)
    relist.unref()
    try {
      signal.throwIfAborted()
      const lines = readLines(stream, { what: 'An event of the engine', maxLineBytes: EVENT_BYTES })
      const heard = (async () => {
        for await (const line of lines) if (line.trim()) this.#hear(JSON.parse(line), signal)
      })()
      heard.catch(() => {})
      await this.#look(signal)
      this.#isLost = false
      this.#watch.connect()
      await heard
    } finally {
      clearInterval(relist)
      signal.removeEventListener('abort', cut)
      stream.destroy()
    }
  }

  #hear(event: EngineEvent, signal: AbortSignal): void {
    if (signal.aborted) return
    const name = event.Actor?.Attributes?.[LABEL.name]
    const id = event.Actor?.ID
    const action = event.Action ?? event.status
    if (!name || !id) return
    const at = new Date(event.timeNano ? event.timeNano / 1e6 : (event.time ?? 0) * 1000)
    const known = this.#known.get(name)
    if (action === 'destroy' || action === 'remove') {
      // Ignore the end of a container that has been replaced already.
      if (!known || known.id === id) this.#gone(name, at)
      return
    }
    const status = STATUS_AFTER[action ?? '']
    if (!status) return
    if (known && known.id !== id && status !== 'running') return
    if (!known && status === 'exited') this.#tell('exited', name, at)
    this.#become(name, { id, status }, at)
  }

  async #look(signal: AbortSignal): Promise<void> {
    this.#onLook().catch(() => {})
    const filters = agentsOf(this.#installation)
    const listed = await this.#engine.call((docker, options) =>
      docker.listContainers({ all: true, filters, ...options })
    )
    if (signal.aborted) return
    const at = new Date()
    const isFirst = !this.#hasLooked
    this.#hasLooked = true
    const names = new Set<string>()
    for (const { Id: id, State, Labels } of listed) {
      const name = Labels[LABEL.name]
      names.add(name)
      const next = { id, status: STATUS_LISTED[State] ?? 'exited' }
      if (isFirst && !this.#known.has(name)) this.#known.set(name, next)
      else this.#become(name, next, at)
    }
    for (const name of [...this.#known.keys()]) if (!names.has(name)) this.#gone(name, at)
  }

  #become(name: string, next: Known, at: Date): void {
    const known = this.#known.get(name)
    const before = known?.id === next.id ? known.status : null
    if (known && before === null && known.status !== 'exited') this.#tell('exited', name, at)
    this.#known.set(name, next)
    if (before === next.status) return
    if (next.status === 'running')
      this.#tell(before === 'suspended' ? 'resumed' : 'started', name, at)
    if (next.status === 'suspended') this.#tell('suspended', name, at)
    if (next.status === 'exited' && before !== null) this.#tell('exited', name, at)
  }

  #gone(name: string, at: Date): void {
    const known = this.#known.get(name)
    this.#known.delete(name)
    if (known && known.status !== 'exited') this.#tell('exited', name, at)
    this.#tell('removed', name, at)
  }

  #tell(type: RuntimeEvent['type'], name: string, at: Date): void {
    this.#feed.emit({ type, name, at })
  }
}

const STATUS_AFTER: Record<string, Status> = {
  start: 'running',
  unpause: 'running',
  pause: 'suspended',
  die: 'exited',
  // Podman's terms.
  died: 'exited',
}

const STATUS_LISTED: Record<string, Status> = { running: 'running', paused: 'suspended' }
