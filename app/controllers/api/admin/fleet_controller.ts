import type { HttpContext } from '@adonisjs/core/http'
import { streamEvents } from '#http/server_sent_events'
import app from '@adonisjs/core/services/app'

/** `/api/v1/admin/fleet`: agents per state, now and recently. */
export default class AdminFleetController {
  async show() {
    const history = await app.container.make('agents.fleet_history')
    const gauges = await app.container.make('agents.gauges')
    const { overview: rest } = await app.container.make('agents.rester')
    return { data: { ...(await gauges()), samples: history.list(), rest } }
  }

  /** Server-sent events: `fleet` with the numbers, `agent` for each agent that changes. */
  async events(context: HttpContext) {
    const streams = await app.container.make('agents.fleet_streams')
    return streamEvents(context, await streams.open())
  }
}
