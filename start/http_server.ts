import { createServer, type RequestListener, type Server } from 'node:http'
import app from '@adonisjs/core/services/app'
import { OpenAiChat } from '#chat/openai_chat'
import { reportTo } from '#chat/report'
import { withCompletionsLane, type LaneServices } from '#chat/completions_lane'

/** Node's server of the public listener: the relay's busiest route first, everything else the framework's. */
export function createHttpServer(handler: RequestListener): Server {
  return createServer(withCompletionsLane(handler, laneServices))
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
    chat: await container.make(OpenAiChat),
    report: reportTo(await container.make('logger')),
  }
}
