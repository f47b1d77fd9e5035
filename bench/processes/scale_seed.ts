/** Fills a migrated database for the bench `scale`, when asked. */
import 'reflect-metadata'
import { answerQuestions } from '../answering.js'
import { consoleApp } from '../console_app.js'
import { scaleDriver } from '../scale/driver.js'
import { IDLE_MIN, RUNTIME, type ScaleOrders } from '../scale/orders.js'

const orders = JSON.parse(process.argv[2]) as ScaleOrders

const app = await consoleApp()
const { seed } = await import('../scale/seed.js')

const runtimes = await app.container.make('runtime.manager')
runtimes.extend(RUNTIME, async () => scaleDriver(orders))
const settings = await app.container.make('settings')
await settings.set('runtime.driver', RUNTIME)
await settings.set('agents.idleTimeoutMin', IDLE_MIN)
await settings.set('agents.startConcurrency', 20)
await settings.set('limits.requestsPerMinute', 1_000_000)

/** Returns the seconds it took. */
async function fill(): Promise<number> {
  const startedAt = performance.now()
  await seed(orders)
  return (performance.now() - startedAt) / 1000
}

answerQuestions({ fill }, {})
