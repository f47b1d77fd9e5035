/**
 * A fleet in use by people who come back every few minutes, with agents that take as long as OpenClaw was
 * measured to take.
 */
import 'reflect-metadata'
import { answerQuestions } from '../answering.js'
import { consoleApp } from '../console_app.js'
import { liveADay } from '../day/person.js'
import { demoAgents } from '../demo_agents.js'
import { Seeded } from '../../chaos/seeded.js'
import type { DayFigures, DayOrders } from '../groups/day.js'

const MINUTE_MS = 60_000
const SEED = 20261128

const orders = JSON.parse(process.argv[2]) as DayOrders

const app = await consoleApp()
const { Fleet } = await import('../day/fleet.js')

const settings = await app.container.make('settings')
await settings.set('agents.rest', orders.rest ? 'auto' : 'off')
await settings.set('agents.idleTimeoutMin', orders.idleMin)
await settings.set('agents.restAfterMin', orders.idleMin)
/** A busy machine must not count as a gateway that fails. */
await settings.set('agents.bootTimeoutSec', 600)
const agents = await demoAgents(orders.agents)
const context = await app.container.make('agents.context')

async function live(): Promise<DayFigures> {
  const fleet = new Fleet(context, orders.measured, orders.factor)
  const { clock } = fleet
  fleet.start()
  const untilMs = clock.elapsed() + orders.minutes * MINUTE_MS
  const days = agents.map((agent, index) =>
    liveADay(fleet.agent(agent), clock, new Seeded(SEED + index), untilMs)
  )
  const waits = (await Promise.all(days)).flat()
  return { waits, ...(await fleet.stop()) }
}

answerQuestions({ live }, {})
