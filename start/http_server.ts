import { Server, type RequestListener } from 'node:http'
import type { Server as NetServer, Socket } from 'node:net'
import app from '@adonisjs/core/services/app'
import { listenAlone } from '#start/listen_alone'
import { isInAgentNetwork } from '#runtimes/agent_networks'
import { isOpenAiPath } from '#exceptions/answer_form'
import { withCors } from '#http/cors'
import { OpenAiChat } from '#chat/openai_chat'
import { reportTo } from '#chat/report'
import { withCompletionsLane, type LaneServices } from '#chat/completions_lane'

/**
 * Creates the public listener's server. The relay's busiest route is handled first, everything else by
 * the framework.
 */
export function createHttpServer(handler: RequestListener): Server {
  const lane = withCompletionsLane(handler, laneServices)
  return new PublicServer(withCors(lane, { covers: isOpenAiPath, origins: corsOrigins }))
}

async function corsOrigins(): Promise<string[]> {
  const settings = await app.container.make('settings')
  return settings.get('api.corsOrigins')
}

/** Milliseconds for drained answers to reach their clients. */
const AFTER_DRAIN_MS = 2000

/** Poll interval during shutdown for connections whose last response has ended, in milliseconds. */
const IDLE_LOOK_MS = 100

/**
 * Shares its port with no other process, and closes even if browsers keep connections open. Node counts
 * a connection opened ahead of need, without a request yet, as busy. A connection whose event stream
 * ends after the shutdown began was promised keep-alive, and Node does not check it again before that
 * time is over. Either would delay the shutdown by a minute.
 */
class PublicServer extends Server {
  readonly #silent = new Set<Socket>()
  #beside: NetServer[] = []

  constructor(listener: RequestListener) {
    super(listener)
    this.on('connection', (socket: Socket) => {
      // Mosaic in a container has an address in the network of each agent, for the internal listener.
      if (isInAgentNetwork(socket.localAddress)) return void socket.destroy()
      this.#silent.add(socket)
      socket.once('close', () => this.#silent.delete(socket))
    })
    this.on('request', ({ socket }) => this.#silent.delete(socket))
  }

  /**
   * Listens where no other process can listen beside it. Emits failures as the event `error`, as Node
   * does.
   */
  override listen(...where: unknown[]): this {
    const [port, host] = where
    if (typeof port !== 'number' || typeof host !== 'string') {
      return super.listen(...(where as Parameters<Server['listen']>))
    }
    listenAlone(this, port, host, (handle) => super.listen(handle)).then(
      (beside) => (this.#beside = beside),
      (error) => this.emit('error', error)
    )
    return this
  }

  /** Plans the end of responses that outlast the shutdown, as of a client that does not read its own. */
  async #endLate(): Promise<NodeJS.Timeout> {
    const { remainingMs } = await app.container.make('shutdown')
    return setTimeout(() => this.closeAllConnections(), remainingMs + AFTER_DRAIN_MS).unref()
  }

  override close(callback?: (error?: Error) => void): this {
    const looking = setInterval(() => this.closeIdleConnections(), IDLE_LOOK_MS)
    for (const listener of this.#beside) listener.close()
    const late = this.#endLate()
    super.close((error) => {
      clearInterval(looking)
      void late.then(clearTimeout)
      callback?.(error)
    })
    for (const socket of this.#silent) socket.destroy()
    return this
  }
}

let made: LaneServices | null = null

/** Kept once made. Tests make them per request, because they swap container bindings. */
function laneServices(): LaneServices | Promise<LaneServices> {
  return made && !app.inTest ? made : makeServices()
}

async function makeServices(): Promise<LaneServices> {
  const { container } = app
  made = {
    tokens: await container.make('identity.tokens'),
    limits: await container.make('identity.limits'),
    chat: await container.make(OpenAiChat),
    report: reportTo(await container.make('logger')),
  }
  return made
}
