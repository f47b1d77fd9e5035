import { setTimeout as after } from 'node:timers/promises'
import type { RuntimeEvent } from '#runtimes/contract'
import type { EventFeed } from '#runtimes/event_feed'
import { LABEL } from '#runtimes/engine/labels'
import { Watch } from '#runtimes/engine/watch'
import type { Cluster } from '#runtimes/drivers/swarm/cluster'
import { endpointOf, sightOf } from '#runtimes/drivers/swarm/observation'
import type { Task } from '#runtimes/drivers/swarm/objects'
import type { Services } from '#runtimes/drivers/swarm/services'

/** Pause between looks, and the share of a manager's time that they may take at most. */
const PAUSE_MS = 400
const SHARE = 10
const LONGEST_PAUSE_MS = 30_000

interface Known {
  /** The running task, or null. */
  task: string | null
}

/** Emits events of agents by looking at all tasks again and again: a swarm reports no changes of tasks. */
export class Watcher {
  readonly #services: Services
  readonly #cluster: Cluster
  readonly #feed: EventFeed
  readonly #known = new Map<string, Known>()
  readonly #watch = new Watch((signal) => this.#keepOn(signal))
  #hasLooked = false
  /** Whether the last look failed, so that ends are unknown. */
  #isLost = false

  constructor(services: Services, cluster: Cluster, feed: EventFeed) {
    this.#services = services
    this.#cluster = cluster
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
   * start, because a node reuses the port of an instance that has ended.
   *
   * @throws RuntimeError if the manager does not answer
   */
  async settled(): Promise<void> {
    await this.#watch.settled()
    if (this.#isLost) await this.#look(this.#watch.signal)
  }

  /** Notes what this driver did itself, so that no event is missed between two looks. */
  note(name: string, task: string | null): void {
    if (this.#hasLooked) this.#become(name, { task }, new Date())
  }

  /** Notes the removal by this driver. */
  gone(name: string): void {
    if (this.#hasLooked && this.#known.has(name)) this.#leave(name, new Date())
  }

  async #keepOn(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const began = performance.now()
      const isLost = await this.#look(signal).then(
        () => false,
        () => true
      )
      if (signal.aborted) return
      if (isLost && !this.#isLost && this.#hasLooked) this.#tell('interrupted', '', new Date())
      this.#isLost = isLost
      this.#watch.connect()
      const pause = Math.max(PAUSE_MS, SHARE * (performance.now() - began))
      await after(Math.min(pause, LONGEST_PAUSE_MS), undefined, { signal, ref: false }).catch(
        () => {}
      )
    }
  }

  async #look(signal: AbortSignal): Promise<void> {
    const before = new Map(this.#known)
    const [services, tasks, nodes] = await Promise.all([
      this.#services.agents(),
      this.#services.tasks(null),
      this.#cluster.nodes(),
    ])
    if (signal.aborted) return
    const at = new Date()
    const isFirst = !this.#hasLooked
    this.#hasLooked = true
    const byName = Map.groupBy(tasks, (task: Task) => task.Spec.ContainerSpec.Labels?.[LABEL.name])
    const names = new Set<string>()
    for (const service of services) {
      const name = service.Spec.Labels[LABEL.name]
      names.add(name)
      // What this driver noted while the look was under way is newer.
      if (this.#known.get(name) !== before.get(name)) continue
      const sight = sightOf(service, byName.get(name) ?? [], nodes)
      const next = { task: endpointOf(sight) ? sight.task!.ID : null }
      if (isFirst) this.#known.set(name, next)
      else this.#become(name, next, at)
    }
    for (const [name, known] of before) {
      if (!names.has(name) && this.#known.get(name) === known) this.#leave(name, at)
    }
  }

  #become(name: string, next: Known, at: Date): void {
    const former = this.#known.get(name)?.task ?? null
    if (this.#known.has(name) && former === next.task) return
    this.#known.set(name, next)
    if (former !== null) this.#tell('exited', name, at)
    if (next.task !== null) this.#tell('started', name, at)
  }

  #leave(name: string, at: Date): void {
    const known = this.#known.get(name)
    this.#known.delete(name)
    if (known?.task) this.#tell('exited', name, at)
    this.#tell('removed', name, at)
  }

  #tell(type: RuntimeEvent['type'], name: string, at: Date): void {
    this.#feed.emit({ type, name, at })
  }
}
