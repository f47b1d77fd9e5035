import { createServer, type Server as NodeServer } from 'node:http'
import {
  createServer as createSocketServer,
  type Server as SocketServer,
  type Socket,
} from 'node:net'
import { capConnections } from '#http/connection_caps'
import { limitRequests } from '#http/request_rate'
import type { RuntimeCallback } from '#runtimes/contract'
import { setTimeout as wait } from 'node:timers/promises'
import type { ApplicationService } from '@adonisjs/core/types'
import type internalConfig from '#config/internal'

declare module '@adonisjs/core/types' {
  interface ContainerBindings {
    'internal.listener': Pick<InternalServerProvider, 'listenFor'>
  }
}

/** Addresses that mean "every interface". */
const EVERYWHERE = new Set(['0.0.0.0', '::'])

/** Retry interval: an engine that is down when Mosaic starts may return at any time. */
const RETRY_MS = 5000

/**
 * Opens the internal listener for agents, at its own address. It is a second HTTP server with its own
 * routes, none of which the public listener exposes.
 */
export default class InternalServerProvider {
  #node: NodeServer | null = null
  readonly #ended = new AbortController()
  /** Additional listeners, by the address that agents use. */
  readonly #more = new Map<string, Promise<SocketServer>>()

  constructor(protected app: ApplicationService) {}

  register() {
    this.app.container.singleton('internal.listener', () => this)
  }

  /**
   * Runs before the public listener opens, so that agents that outlived a restart find their models at
   * once. Skipped when a code generator only warms the application up.
   */
  async start() {
    if (this.app.getMode() === 'warmup') return
    const config = this.app.config.get<typeof internalConfig>('internal')
    this.#node = createServer(limitRequests(await this.#handler(), config.requests))
    capConnections(this.#node, config.connections)
    /**
     * The public listener keeps the process alive; if the boot fails before that opens, the process
     * must exit.
     */
    this.#node.unref()
    await this.#listen(this.#node, config)
    this.app.terminating(async () => {
      const { remainingMs } = await this.app.container.make('shutdown')
      await this.#close(remainingMs)
    })
    if (this.app.getEnvironment() === 'web') void this.#listenForAgents()
  }

  /**
   * Listens where a driver's agents call back, besides the internal listener's own address: agents in
   * containers and sandboxes have their own loopback. A no-op if it listens there already.
   */
  async listenFor(callback: RuntimeCallback): Promise<void> {
    if (!this.#node || this.#ended.signal.aborted) return
    const open = callback.open ? () => callback.open!() : this.#opener(callback.listen)
    if (!open) return

    const known = this.#more.get(callback.host)
    if (known) return void (await known)

    const opened = open().then((server) => this.#attach(server))
    this.#more.set(callback.host, opened)
    opened.catch(() => this.#more.delete(callback.host))
    await opened
  }

  /** Opens the same port at another address of this machine. Returns null if it is open already. */
  #opener(address: string | null): (() => Promise<SocketServer>) | null {
    const { host, port } = this.app.config.get<typeof internalConfig>('internal')
    if (!address || EVERYWHERE.has(host) || host === address) return null
    return () =>
      new Promise((resolve, reject) => {
        /** The socket options of Node's HTTP servers. */
        const server = createSocketServer({ allowHalfOpen: true, noDelay: true })
        server.once('error', reject).listen(port, address, () => resolve(server))
      })
  }

  #attach(server: SocketServer): SocketServer {
    const take = (socket: Socket) => this.#node?.emit('connection', socket.setNoDelay(true))
    return server.on('connection', take).unref()
  }

  /** Agents that outlived a restart of Mosaic call back before anything else uses their driver. */
  async #listenForAgents(): Promise<void> {
    const { container } = this.app
    const { signal } = this.#ended
    let isFirst = true
    while (!signal.aborted) {
      try {
        const name = await (await container.make('settings')).get('runtime.driver')
        const driver = await (await container.make('runtime.manager')).use(name)
        const callback = await driver.callback?.()
        if (callback) await this.listenFor(callback)
        return
      } catch (error) {
        const logger = await container.make('logger')
        if (isFirst) logger.warn({ err: error }, 'Agents cannot call back yet')
        isFirst = false
        await wait(RETRY_MS, undefined, { signal, ref: false }).catch(() => {})
      }
    }
  }

  async #handler() {
    const { Server } = await import('@adonisjs/core/http')
    const { internalRoutes } = await import('#start/internal_routes')
    const { container, config } = this.app
    const server = new Server(
      this.app,
      (await container.make('encryption')).use(),
      await container.make('emitter'),
      await container.make('logger'),
      config.get('app.http')
    )
    internalRoutes(server.getRouter())
    server.errorHandler(() => import('#exceptions/handler'))
    await server.boot()
    return server.handle.bind(server)
  }

  async #listen(node: NodeServer, { host, port }: typeof internalConfig): Promise<void> {
    const { listenFailure } = await import('#exceptions/listen_failure')
    const { listenAlone } = await import('#start/listen_alone')
    try {
      const beside = await listenAlone(node, port, host)
      for (const server of beside) this.#more.set('beside', Promise.resolve(server))
    } catch (error) {
      throw listenFailure(error, { host: 'INTERNAL_HOST', port: 'INTERNAL_PORT' }) ?? error
    }
  }

  /** Waits for responses in flight, but not for ever: a model's answer can take many minutes. */
  async #close(drainMs: number): Promise<void> {
    const node = this.#node
    if (!node) return
    this.#ended.abort()
    for (const opened of this.#more.values()) (await opened.catch(() => null))?.close()
    const closed = new Promise<void>((resolve) => node.close(() => resolve()))
    const late = new AbortController()
    const drained = wait(drainMs, undefined, { signal: late.signal }).catch(() => {})
    await Promise.race([closed, drained])
    late.abort()
    node.closeAllConnections()
    await closed
  }
}
