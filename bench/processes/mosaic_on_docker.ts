/**
 * Mosaic's web process as `bin/server.ts` starts it, with many users whose agents run in containers. For
 * comparison, dockerode alone starts identical containers.
 */
import { execFileSync } from 'node:child_process'
import { rmSync } from 'node:fs'
import type { ContainerCreateOptions } from 'dockerode'
import type { AgentKey } from '#agents/types'
import { Engine } from '#tests/engine/engine'
import { answerQuestions } from '../answering.js'
import { webProcess } from '../web_process.js'
import { demoAgents } from '../demo_agents.js'
import type { StormFigures, WarmFigures } from '../groups/docker.js'
import { Slots, storm, untilReady } from '../storm.js'

const [count, concurrency] = process.argv.slice(2).map(Number)

const GATEWAY_PORT = 18789

const WARM_ROUNDS = 30

const app = await webProcess()
const engine = new Engine(process.env.DOCKER_HOST!)
const { docker } = engine

const settings = await app.container.make('settings')
const lifecycle = await app.container.make('agents.lifecycle')
const runtimes = await app.container.make('runtime.manager')

async function prepare(): Promise<AgentKey[]> {
  await settings.set('runtime.driver', 'docker')
  await settings.set('runtime.image', engine.gatewayImage)
  await settings.set('runtime.memoryMb', 256)
  await settings.set('agents.startConcurrency', concurrency)

  const agents = await demoAgents(count)
  // Network, image and isolation proof are created once per installation.
  await lifecycle.ensureRunning(agents[0])
  await lifecycle.stop(agents[0])
  return agents
}

const agents = await prepare()
let made: ContainerCreateOptions[] = []
const copies = new Set<string>()
process.once('exit', () => {
  for (const copy of copies) rmSync(copy, { recursive: true, force: true })
})

const nameOf = (agent: AgentKey) => `mosaic-user-${agent.slice('user/'.length)}`

/** Wakes all at once through Mosaic, as when everyone opens the page at nine. */
async function wakeAll(): Promise<StormFigures> {
  const figures = await storm(agents.map((agent) => () => lifecycle.ensureRunning(agent)))
  const running = await docker.listContainers({ filters: { label: ['mosaic.agent'] } })
  made = await Promise.all(agents.map((agent) => madeLike(nameOf(agent))))
  return { ...figures, containers: running.length }
}

/** A few at a time: only wakes are measured, and an engine limits stops too. */
async function sleepAll(): Promise<true> {
  const driver = await runtimes.use('docker')
  const slots = new Slots(concurrency)
  await Promise.all(
    agents.map((agent) =>
      slots.run(async () => {
        await lifecycle.stop(agent)
        await driver.remove({ name: nameOf(agent), state: null })
      })
    )
  )
  return true
}

/**
 * Copies the options of Mosaic's container, to start it again without Mosaic. Without Mosaic's labels, so that
 * Mosaic ignores it.
 */
async function madeLike(name: string): Promise<ContainerCreateOptions> {
  const { Config, HostConfig } = await docker.getContainer(name).inspect()
  const Mounts = HostConfig.Mounts?.map((mount) =>
    mount.Type === 'bind' ? { ...mount, Source: copied(mount.Source) } : mount
  )
  return {
    ...Config,
    name: `bare-${name}`,
    Labels: {},
    HostConfig: { ...HostConfig, Mounts },
  }
}

/** The files handed to an agent are removed with its container, so its double gets its own copy. */
function copied(folder: string): string {
  const copy = `${folder}-bare`
  rmSync(copy, { recursive: true, force: true })
  execFileSync('cp', ['-a', folder, copy])
  copies.add(copy)
  return copy
}

/** Starts the same containers with dockerode alone. */
function startAll(atOnce: number) {
  return async (): Promise<StormFigures> => {
    const slots = new Slots(atOnce)
    const figures = await storm(made.map((options) => () => slots.run(() => startBare(options))))
    await Promise.all(made.map(({ name }) => docker.getContainer(name!).remove({ force: true })))
    return { ...figures, containers: made.length }
  }
}

async function startBare(options: ContainerCreateOptions): Promise<void> {
  const container = await docker.createContainer(options)
  await container.start()
  const { NetworkSettings } = await container.inspect()
  const [{ IPAddress }] = Object.values(NetworkSettings.Networks)
  await untilReady(`http://${IPAddress}:${GATEWAY_PORT}`)
}

/** Chats with a running and with a paused agent, alternating; returns milliseconds to the first byte. */
async function warm(): Promise<WarmFigures> {
  const driver = await runtimes.use('docker')
  const { url, token } = await lifecycle.ensureRunning(agents[0])
  const ref = { name: nameOf(agents[0]), state: null }
  const firstByte = async (): Promise<void> => {
    const response = await fetch(`${url}/v1/chat/completions`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}` },
      body: JSON.stringify({ stream: true, messages: [{ role: 'user', content: 'Hello' }] }),
    })
    const reader = response.body!.getReader()
    await reader.read()
    await reader.cancel()
  }
  const timed = async (work: () => Promise<void>): Promise<number> => {
    const startedAt = performance.now()
    await work()
    return performance.now() - startedAt
  }
  const figures: WarmFigures = { running: [], resumed: [] }
  for (let round = 0; round < WARM_ROUNDS; round++) {
    figures.running.push(await timed(firstByte))
    await driver.suspend!(ref)
    figures.resumed.push(
      await timed(async () => {
        await driver.resume!(ref)
        await firstByte()
      })
    )
  }
  return figures
}

const ANSWERS: Record<string, () => Promise<unknown>> = {
  'mosaic': wakeAll,
  'sleep': sleepAll,
  'dockerode at once': startAll(count),
  'dockerode in turn': startAll(concurrency),
  warm,
}

answerQuestions(ANSWERS, { agents: agents.length })
