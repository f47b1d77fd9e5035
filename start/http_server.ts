import { Server, type RequestListener } from 'node:http'
import type { Server as NetServer, Socket } from 'node:net'
import app from '@adonisjs/core/services/app'
import { listenAlone } from '#start/listen_alone'
import { OpenAiChat } from '#chat/openai_chat'
import { reportTo } from '#chat/report'
import { withCompletionsLane, type LaneServices } from '#chat/completions_lane'

/** Node's server of the public listener: the relay's busiest route first, everything else the framework's. */
export function createHttpServer(handler: RequestListener): Server {
  return new PublicServer(withCompletionsLane(handler, laneServices))
}

/** How soon a connection whose last answer ended while the server ends is noticed, in milliseconds. */
const IDLE_LOOK_MS = 100

/**
 * Shares its port with nobody, and ends although browsers keep connections. One that has asked nothing yet, opened ahead of need, is busy in
 * the eyes of Node. One whose stream of events ends after the server began to was promised to be kept, and
 * nobody looks at it again before that time is over. Either would hold the end up for a minute.
 */
class PublicServer extends Server {
  readonly #silent = new Set<Socket>()
  #beside: NetServer[] = []

  constructor(listener: RequestListener) {
    super(listener)
    this.on('connection', (socket: Socket) => {
      this.#silent.add(socket)
      socket.once('close', () => this.#silent.delete(socket))
    })
    this.on('request', ({ socket }) => this.#silent.delete(socket))
  }

  /** Where nobody else can listen beside it; a failure is raised as the event `error`, as Node does. */
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

  override close(callback?: (error?: Error) => void): this {
    const looking = setInterval(() => this.closeIdleConnections(), IDLE_LOOK_MS)
    for (const listener of this.#beside) listener.close()
    super.close((error) => {
      clearInterval(looking)
      callback?.(error)
    })
    for (const socket of this.#silent) socket.destroy()
    return this
  }
}

let made: Promise<LaneServices> | null = null

/** Made once. A test may put doubles into the container between two requests, so there it is asked each time. */
function laneServices(): Promise<LaneServices> {
  if (!made || app.inTest) made = makeServices()
  return made
}

async function makeServices(): Promise<LaneServices> {
  const { container } = app
  return {
    tokens: await container.make('identity.tokens'),
    limits: await container.make('identity.limits'),
    chat: await container.make(OpenAiChat),
    report: reportTo(await container.make('logger')),
  }
}
