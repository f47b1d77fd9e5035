/**
 * The swarm driver on the tests' swarm, with a fast-starting double of OpenClaw. For comparison, dockerode alone
 * scales a service of the same spec.
 */
import { createHash, randomUUID } from 'node:crypto'
import { setTimeout as after } from 'node:timers/promises'
import { Secret } from '@adonisjs/core/helpers'
import type { Service, Task } from '#runtimes/drivers/swarm/objects'
import { HERE, SwarmTrial } from '#tests/contracts/swarm_trial'
import { testSwarm } from '#tests/engine/swarm'
import { answerQuestions } from '../answering.js'
import { untilReady } from '../storm.js'

const LOOK_MS = 25
const BARE = 'bare'

const { manager, nodes } = testSwarm()!
const trial = await SwarmTrial.prepare(testSwarm()!)
const driver = await trial.open(HERE)
let spec = trial.spec()
const ref = { name: spec.name, state: null }

/** Network, packet filters and isolation proof are made once per installation, the volume once per agent. */
await trial.start(spec)
await makeBare()
await driver.stop(ref)

/** Each wake has another token, as Mosaic renews it. */
async function wakeByDriver(): Promise<number> {
  const id = randomUUID()
  const hash = createHash('sha256').update(id).digest('hex')
  spec = { ...spec, hash, generation: spec.generation + 1, token: new Secret(`token-${id}`) }
  const ms = await timed(async () => {
    const { endpoint } = await driver.ensure(spec, trial.patient())
    await untilReady(endpoint)
  })
  await driver.stop(ref)
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

/** Copies the agent's service. Without Mosaic's labels, so that the driver ignores it. */
async function makeBare(): Promise<void> {
  const { Spec } = (await manager.docker.getService(spec.name).inspect()) as Service
  const { ContainerSpec } = Spec.TaskTemplate
  await manager.docker.createService({
    ...Spec,
    Name: BARE,
    Labels: {},
    Mode: { Replicated: { Replicas: 0 } },
    TaskTemplate: { ...Spec.TaskTemplate, ContainerSpec: { ...ContainerSpec, Labels: {} } },
  } as object)
}

async function scaleBare(replicas: number): Promise<void> {
  const service = manager.docker.getService(BARE)
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
  return (await manager.docker.listTasks({ filters } as object)) as Task[]
}

async function endpointOfBare(): Promise<string> {
  for (;;) {
    const task = (await tasksOfBare()).find(({ Status }) => Status.State === 'running')
    const port = task?.Status.PortStatus?.Ports?.[0]?.PublishedPort
    if (port) {
      const { Description } = await manager.docker.getNode(task.NodeID!).inspect()
      const { address } = nodes.find(({ name }) => name === Description.Hostname)!
      return `http://${address}:${port}`
    }
    await after(LOOK_MS)
  }
}

async function timed(work: () => Promise<void>): Promise<number> {
  const startedAt = performance.now()
  await work()
  return performance.now() - startedAt
}

answerQuestions({ driver: wakeByDriver, dockerode: wakeByDockerode }, {})
