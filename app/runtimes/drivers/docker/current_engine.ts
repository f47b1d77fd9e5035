import { certificatesStamp } from '#runtimes/engine/engine'
import { openEngineSession, type EngineSession } from '#runtimes/drivers/docker/engine_session'
import { DEFAULT_SETTINGS, type DockerDriverConfig } from '#runtimes/drivers/docker/options'
import type { EventFeed } from '#runtimes/event_feed'
import type { KeyedQueue } from '#runtimes/keyed_queue'

interface SessionParts {
  feed: EventFeed
  queue: KeyedQueue
}

/** The session with the engine that the current settings name. It is watched while somebody listens to the feed. */
export class CurrentEngine {
  readonly #config: DockerDriverConfig
  readonly #installation: string
  readonly #parts: SessionParts
  #session: { key: string; opened: Promise<EngineSession> } | null = null
  /** Whether events may have been missed: an engine did not open, or another one was opened. */
  #hasMissed = false

  constructor(config: DockerDriverConfig, installation: string, parts: SessionParts) {
    this.#config = config
    this.#installation = installation
    this.#parts = parts
  }

  /** Opens the engine that the settings name, with the current certificates. */
  async open(): Promise<EngineSession> {
    const settings = { ...DEFAULT_SETTINGS, ...(await this.#config.settings?.()) }
    const key = JSON.stringify([settings, certificatesStamp(this.#config)])
    const former = this.#session
    if (former?.key === key) return former.opened

    const opened = openEngineSession(this.#config, settings, this.#installation, this.#parts)
    this.#session = { key, opened }
    if (former) this.#hasMissed = true
    opened.then(
      ({ watcher }) => this.#session?.opened === opened && this.#watch(watcher),
      () => {
        this.#hasMissed = true
        if (this.#session?.opened === opened) this.#session = null
      }
    )
    if (former) void retire(former.opened)
    return opened
  }

  /** Stops watching if nobody listens any more. */
  async unwatch(): Promise<void> {
    const session = await this.#session?.opened.catch(() => null)
    if (!this.#parts.feed.hasListeners) session?.watcher.stop()
  }

  async close(): Promise<void> {
    if (this.#session) await retire(this.#session.opened)
  }

  /** Starts the watcher of a new session for those who listen already, whatever failed before. */
  #watch(watcher: EngineSession['watcher']): void {
    const { feed } = this.#parts
    if (!feed.hasListeners) return
    watcher.start()
    if (this.#hasMissed) feed.emit({ type: 'interrupted', name: '', at: new Date() })
    this.#hasMissed = false
  }
}

async function retire(opened: Promise<EngineSession>): Promise<void> {
  const session = await opened.catch(() => null)
  session?.watcher.stop()
  session?.images.close()
}
