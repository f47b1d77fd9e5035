/**
 * Mosaic's agent services with many users whose agents run in the memory driver. For comparison, the same
 * instances are created by that driver alone.
 */
import 'reflect-metadata'
import type { AgentKey } from '#agents/types'
import type { Instance, InstanceSpec, RuntimeContext } from '#runtimes/contract'
import { MemoryDriver } from '#tests/doubles/memory_runtime/driver'
import { answerQuestions } from '../answering.js'
import { consoleApp } from '../console_app.js'
import { demoAgents } from '../demo_agents.js'
import { Slots, storm, untilReady, type Storm } from '../storm.js'
import type { CallersFigures, StormOfAgents } from '../groups/storm.js'

const [count, concurrency, callers] = process.argv.slice(2).map(Number)

/** Short: the longer an agent's start, the smaller Mosaic's share of the whole. */
const START_MS = 200
const BOOT_MS = 2000

const app = await consoleApp()

const settings = await app.container.make('settings')
const runtimes = await app.container.make('runtime.manager')

/** Specs that the driver was given, by name. */
const specs = new Map<string, InstanceSpec>()

class NotingDriver extends MemoryDriver {
  override ensure(spec: InstanceSpec, context: RuntimeContext): Promise<Instance> {
    specs.set(spec.name, spec)
    return super.ensure(spec, context)
  }
}

const driver = new NotingDriver({}, await runtimes.installation())
driver.behave('*', { startMs: START_MS, bootMs: BOOT_MS })
runtimes.extend('memory', async () => driver)
await settings.set('runtime.driver', 'memory')
await settings.set('agents.startConcurrency', concurrency)
const lifecycle = await app.container.make('agents.lifecycle')

const agents = await demoAgents(count)
const nameOf = (agent: AgentKey) => `mosaic-user-${agent.slice('user/'.length)}`

async function wakeAll(): Promise<StormOfAgents> {
  const figures = await storm(agents.map((agent) => () => lifecycle.ensureRunning(agent)))
  return { ...figures, doubles: doubles() }
}

async function sleepAll(): Promise<true> {
  await Promise.all(agents.map((agent) => lifecycle.stop(agent)))
  return true
}

/** Creates the same instances with the driver alone, at the same concurrency. */
async function startAll(): Promise<StormOfAgents> {
  const slots = new Slots(concurrency)
  const { signal } = new AbortController()
  const figures = await storm(
    [...specs.values()].map((spec) => () => {
      return slots.run(async () => untilReady((await driver.ensure(spec, { signal })).endpoint))
    })
  )
  await Promise.all([...specs.keys()].map((name) => driver.stop({ name, state: null })))
  return { ...figures, doubles: doubles() }
}

const doubles = () => [...specs.keys()].filter((name) => driver.counts(name).mostAlive > 1).length

/** Many callers ask for one sleeping agent. */
async function callOne(): Promise<CallersFigures> {
  const [agent] = agents
  const before = driver.counts(nameOf(agent)).starts
  const figures: Storm = await storm(
    Array.from({ length: callers }, () => () => lifecycle.ensureRunning(agent))
  )
  const starts = driver.counts(nameOf(agent)).starts - before
  return { ...figures, starts }
}

async function startOne(): Promise<CallersFigures> {
  const spec = specs.get(nameOf(agents[0]))!
  const { signal } = new AbortController()
  const figures = await storm([
    async () => untilReady((await driver.ensure(spec, { signal })).endpoint),
  ])
  await driver.stop({ name: spec.name, state: null })
  return { ...figures, starts: 1 }
}

const ANSWERS: Record<string, () => Promise<unknown>> = {
  'wake all': wakeAll,
  'sleep': sleepAll,
  'start all': startAll,
  'call one': callOne,
  'start one': startOne,
}

answerQuestions(ANSWERS, { agents: agents.length })
