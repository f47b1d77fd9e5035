import { createServer, type Server as NodeServer } from 'node:http'
import { setTimeout as wait } from 'node:timers/promises'
import type { ApplicationService } from '@adonisjs/core/types'
import type internalConfig from '#config/internal'

/**
 * Opens the internal listener: what agents call, at an address of its own. It is a second HTTP server
 * with routes of its own, so nothing of it can be reached through the public one.
 */
export default class InternalServerProvider {
  #node: NodeServer | null = null

  constructor(protected app: ApplicationService) {}

  /**
   * Before the public listener opens: agents that outlived a restart find their models at once. A code
   * generator, which warms the application up, serves nobody.
   */
  async start() {
    if (this.app.getMode() === 'warmup') return
    const config = this.app.config.get<typeof internalConfig>('internal')
    this.#node = createServer(await this.#handler())
    /** The public listener keeps the process alive; a boot that fails before it opens must end. */
    this.#node.unref()
    await this.#listen(this.#node, config)
    this.app.terminating(() => this.#close(config.drainMs))
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
    const { E_PORT_TAKEN, isPortTaken } = await import('#exceptions/port_taken')
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    node.once('error', reject)
    node.listen(port, host, resolve)
    await promise.catch((error: unknown) => {
      throw isPortTaken(error) ? new E_PORT_TAKEN(port, 'INTERNAL_PORT') : error
    })
  }

  /** Lets answers in flight end, but not for ever: a stream of an agent can take many minutes. */
  async #close(drainMs: number): Promise<void> {
    const node = this.#node
    if (!node) return
    const closed = new Promise<void>((resolve) => node.close(() => resolve()))
    const late = new AbortController()
    const drained = wait(drainMs, undefined, { signal: late.signal }).catch(() => {})
    await Promise.race([closed, drained])
    late.abort()
    node.closeAllConnections()
    await closed
  }
}
