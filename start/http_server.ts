import { Server, type RequestListener } from 'node:http'
import type { Socket } from 'node:net'
import app from '@adonisjs/core/services/app'
import { OpenAiChat } from '#chat/openai_chat'
import { reportTo } from '#chat/report'
import { withCompletionsLane, type LaneServices } from '#chat/completions_lane'

/** Node's server of the public listener: the relay's busiest route first, everything else the framework's. */
export function createHttpServer(handler: RequestListener): Server {
  return new PublicServer(withCompletionsLane(handler, laneServices))
}

/**
 * Browsers open connections ahead of need. One that has asked nothing yet is busy in the eyes of Node, and
 * would hold the end of the server up for as long as the browser likes.
 */
class PublicServer extends Server {
  readonly #silent = new Set<Socket>()

  constructor(listener: RequestListener) {
    super(listener)
    this.on('connection', (socket: Socket) => {
      this.#silent.add(socket)
      socket.once('close', () => this.#silent.delete(socket))
    })
    this.on('request', ({ socket }) => this.#silent.delete(socket))
  }

  override close(callback?: (error?: Error) => void): this {
    super.close(callback)
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
