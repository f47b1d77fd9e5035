/**
 * Mosaic's web process as `bin/server.ts` starts it, on the tests' swarm, with a fast-starting double of OpenClaw. For
 * comparison, dockerode alone scales a service of the same spec.
 */
import { setTimeout as after } from 'node:timers/promises'
import type { Service, Task } from '#runtimes/drivers/swarm/objects'
import { testSwarm } from '#tests/engine/swarm'
import { answerQuestions } from '../answering.js'
import { demoAgents } from '../demo_agents.js'
import { untilReady } from '../storm.js'
import { webProcess } from '../web_process.js'

const LOOK_MS = 25
const BARE = 'bare'

const { manager, worker } = testSwarm()!
const { docker } = manager

const app = await webProcess()
const settings = await app.container.make('settings')
const lifecycle = await app.container.make('agents.lifecycle')
await settings.set('swarm.host', manager.host)
await settings.set('runtime.image', manager.gatewayImage)
await settings.set('runtime.memoryMb', 256)
/** Both on one node, so that the way to the node is the same. */
await settings.patch({ 'runtime.options.swarm.constraints': `node.hostname==${worker.name}` })
await settings.set('runtime.driver', 'swarm')
const [agent, model] = await demoAgents(2)

/** Network, packet filters and isolation proof are made once per installation, the volume once per agent. */
await lifecycle.ensureRunning(agent)
await lifecycle.stop(agent)
/** Stays awake: the copy of its service fetches its document with its token, which a stop would end. */
await lifecycle.ensureRunning(model)
await makeBare()

/** As a user's message does: lease, row, a new token, the driver, and the wait until the gateway is ready. */
async function wakeByMosaic(): Promise<number> {
  const ms = await timed(async () => {
    await lifecycle.ensureRunning(agent)
  })
  await lifecycle.stop(agent)
  return ms
}

async function wakeByDockerode(): Promise<number> {
  const ms = await timed(async () => {
    await scaleBare(1)
    await untilReady(await endpointOfBare())
  })
  await scaleBare(0)
  while ((await tasksOfBare()).some(({ Status }) => Status.State === 'running'))
    await after(LOOK_MS)
  return ms
}

/** Copies the agent's service. Without Mosaic's labels, so that Mosaic ignores it. */
async function makeBare(): Promise<void> {
  const name = `mosaic-user-${model.slice('user/'.length)}`
  const { Spec } = (await docker.getService(name).inspect()) as Service
  const { ContainerSpec } = Spec.TaskTemplate
  await docker.createService({
    ...Spec,
    Name: BARE,
    Labels: {},
    Mode: { Replicated: { Replicas: 0 } },
    TaskTemplate: { ...Spec.TaskTemplate, ContainerSpec: { ...ContainerSpec, Labels: {} } },
  } as object)
}

async function scaleBare(replicas: number): Promise<void> {
  const service = docker.getService(BARE)
  const { Version, Spec } = (await service.inspect()) as Service
  const ForceUpdate = (Spec.TaskTemplate.ForceUpdate ?? 0) + replicas
  await service.update({
    ...Spec,
    version: Version.Index,
    Mode: { Replicated: { Replicas: replicas } },
    TaskTemplate: { ...Spec.TaskTemplate, ForceUpdate },
  } as object)
}

async function tasksOfBare(): Promise<Task[]> {
  const filters = { 'service': [BARE], 'desired-state': ['running', 'shutdown'] }
  return (await docker.listTasks({ filters } as object)) as Task[]
}

async function endpointOfBare(): Promise<string> {
  for (;;) {
    const task = (await tasksOfBare()).find(({ Status }) => Status.State === 'running')
    const port = task?.Status.PortStatus?.Ports?.[0]?.PublishedPort
    if (port) return `http://${worker.address}:${port}`
    await after(LOOK_MS)
  }
}

async function timed(work: () => Promise<void>): Promise<number> {
  const startedAt = performance.now()
  await work()
  return performance.now() - startedAt
}

answerQuestions({ mosaic: wakeByMosaic, dockerode: wakeByDockerode }, {})
