/**
 * A replica of Mosaic without its web process: the real services over real rows, with a driver whose calls are
 * steps. Every query is a step too. It kills itself at the step that it was given.
 */
import 'reflect-metadata'
import { join } from 'node:path'
import type { AgentKey, GatewayAccess } from '#agents/types'
import type { InstanceRef, RuntimeDriver } from '#runtimes/contract'
import { dialGatewaysWith } from '#runtimes/gateway_connections'
import type { SettingKey } from '#settings/definitions'
import { answerQuestions } from '../../bench/answering.js'
import { consoleApp } from '../../bench/console_app.js'
import { Acts, isExplained, remembered, type House } from '../acts.js'
import type { ContentionFacts, ContentionOrders, Facts, Orders, Scene, Told } from '../messages.js'
import { RemoteDriver } from '../remote_driver.js'
import { Seeded } from '../seeded.js'
import { StepDriver, type Verb } from '../step_driver.js'

/** Concurrent actors of a replica. */
const ACTORS = 3
/** Short, so that a round need not wait long for a dead replica's leases. */
const LEASE_MS = 1000
const TAKE_OVER_MS = 100
/** Of so many repairs, one is a full sweep. */
const RECONCILE_EVERY = 10
/** Concurrent callers of a replica, and the share of calls that stop the agent first. */
const CALLERS = 50
const STOP_SHARE = 0.05
const SETTLE_MS = 30_000
const PAGE_OUT_MS = 5000

const scene = JSON.parse(process.argv[2]) as Scene

const app = await consoleApp()

let steps = 0
let dieAt: Orders['dieAt'] = null
function step(ended?: Verb): void {
  steps++
  const isDue = dieAt === 'suspended' ? ended === 'suspend' : steps === dieAt
  if (isDue) process.kill(process.pid, 'SIGKILL')
}

const { default: db } = await import('@adonisjs/lucid/services/db')
for (const event of ['query', 'query-response']) {
  db.connection()
    .getWriteClient()
    .on(event, () => step())
}

/** Milliseconds by which the machine's clock was set back. */
let setBackBy = 0

const house = await openHouse()
const tell = (told: Told) => void process.send!({ told })

async function realDriver(installation: string, replicaId: string): Promise<RuntimeDriver> {
  const entrypoint = app.makePath('docker/agent/entrypoint.sh')
  if (scene.driver === 'memory') return new RemoteDriver(scene.worldUrl, replicaId)
  if (scene.driver === 'process') {
    const { ProcessDriver } = await import('#runtimes/drivers/process/driver')
    const openclaw = [join(scene.folder, 'fake/node_modules/openclaw')]
    const storage = join(scene.folder, 'storage')
    const unisolated = 'accept'
    return new ProcessDriver({ storage, openclaw, entrypoint, unisolated }, installation)
  }
  const { DockerDriver } = await import('#runtimes/drivers/docker/driver')
  return new DockerDriver(
    {
      entrypoint,
      image: process.env.MOSAIC_TEST_GATEWAY_IMAGE!,
      internalPort: Number(new URL(scene.worldUrl).port),
      container: null,
      settings: async () => ({ host: process.env.DOCKER_HOST!, pullPolicy: 'never' }),
    },
    installation
  )
}

async function openHouse() {
  const { AgentActivity } = await import('#agents/state/activity')
  const { AgentServices } = await import('#agents/services')
  const { AgentMetrics } = await import('#agents/metrics')
  const { ReplicaRegistry } = await import('#agents/replicas/replica_registry')
  const { AgentReaper } = await import('#agents/background/reaper')
  const { AgentReconciler } = await import('#agents/background/reconciler')
  const { SettingsRollout } = await import('#agents/changes/settings_rollout')
  const { default: UserAgentConfig } = await import('#models/user_agent_config')

  const given = await app.container.make('agents.context')
  const base = { ...given, clock: { ...given.clock, now: () => Date.now() - setBackBy } }
  const installation = await base.runtimes.installation()
  const real = await realDriver(installation, base.replicaId)
  dialGatewaysWith(async (endpoint, signal) => {
    const isDialed = endpoint.hostname.endsWith(`.${real.name}.internal`)
    return isDialed ? ((await real.dial?.(endpoint, signal)) ?? null) : null
  })
  const driver = new StepDriver(real, step)
  const settingsOf = (agent: AgentKey) => UserAgentConfig.ownedBy(agent.slice('user/'.length))
  const documentOf = async (agent: AgentKey) => ({
    hash: `document ${(await settingsOf(agent).first())?.personality ?? ''}`,
  })
  const timeouts = { ...base.timeouts, leaseMs: LEASE_MS, killAfterMs: 2000 }
  const context = {
    ...base,
    settings: {
      get: async (key: SettingKey) =>
        (key === 'runtime.driver' ? driver.name : await base.settings.get(key)) as never,
    },
    runtimes: {
      use: async () => driver,
      names: () => [driver.name],
      installation: async () => installation,
    },
    documents: { forAgent: documentOf },
    live: {
      /** Every other document needs a restart. */
      apply: async (_gateway: GatewayAccess, agent: AgentKey) => {
        const { hash } = await documentOf(agent)
        return Number(hash.at(-1)) % 2 === 0 ? hash : null
      },
    },
    callbackUrl: async () => {
      const callback = await real.callback?.()
      if (!callback) return scene.worldUrl
      return `http://${callback.host}:${callback.port ?? new URL(scene.worldUrl).port}`
    },
    timeouts,
    replicas: new ReplicaRegistry({ ...base, timeouts }),
  }
  const metrics = new AgentMetrics()
  const activity = new AgentActivity(context)
  const services = new AgentServices(context, activity, metrics)
  await services.open()
  return {
    driver: real,
    ...services,
    activity,
    reaper: new AgentReaper(context, services.idleStopper, activity, metrics),
    reconciler: new AgentReconciler(context, services, metrics),
    changes: new SettingsRollout(context, { ...services, activity }),
    pageOut: (agent) => driver.pageOut(refOf(agent), { signal: AbortSignal.timeout(PAGE_OUT_MS) }),
    changeSettings: async (agent) => {
      await settingsOf(agent).update({ personality: `${Date.now()}` })
    },
  } satisfies House & { driver: RuntimeDriver }
}

/** Creates users with settings. */
async function prepare(count: number): Promise<AgentKey[]> {
  const { default: User } = await import('#models/user')
  const { default: UserAgentConfig } = await import('#models/user_agent_config')
  const settings = await app.container.make('settings')
  await settings.set('agents.stopGraceSec', 1)
  const agents: AgentKey[] = []
  for (let i = 0; i < count; i++) {
    const user = await User.create({ email: `${i}@example.test`, name: `${i}`, role: 'member' })
    await UserAgentConfig.create({ userId: user.id, personality: '', fallbackModels: [] })
    agents.push(`user/${user.id}`)
  }
  return agents
}

let rest = new AbortController()
let acting: Promise<unknown> = Promise.resolve()

function go({ seed, ...orders }: Orders): true {
  rest = new AbortController()
  steps = 0
  dieAt = orders.dieAt
  const actors = Array.from({ length: ACTORS }, (_, index) => {
    const names = `${process.pid}-${seed}-${index}`
    return new Acts(house, new Seeded(seed + index), tell, names).go(orders, rest.signal)
  })
  acting = repairUntil(Promise.all(actors))
  return true
}

/**
 * Takes over dead replicas' work and reconciles, as the web process does in the background. A message may wait for
 * it.
 */
async function repairUntil(acted: Promise<unknown>): Promise<void> {
  const { setTimeout: after } = await import('node:timers/promises')
  let isOver = false
  void acted.finally(() => (isOver = true))
  for (let turn = 1; !isOver; turn++) {
    const isFull = turn % RECONCILE_EVERY === 0
    await (isFull ? house.reconciler.reconcile() : house.reconciler.takeOver()).catch(() => {})
    await after(TAKE_OVER_MS)
  }
  await acted
}

/** Starts nothing more, and resolves when everything in progress has ended. */
async function halt(): Promise<true> {
  rest.abort()
  dieAt = null
  await acting
  return true
}

/** Requests agents without the cache, and sometimes stops one. */
async function contend({ seed, agents, calls }: ContentionOrders): Promise<ContentionFacts> {
  const random = new Seeded(seed)
  const facts: ContentionFacts = { answered: 0, failures: [] }
  let left = calls
  const caller = async () => {
    while (left-- > 0) {
      const agent = random.pick(agents)
      if (random.next() < STOP_SHARE) await house.lifecycle.stop(agent).catch(() => {})
      house.lifecycle.invalidate(agent)
      await house.lifecycle.startAndWait(agent).then(
        () => facts.answered++,
        (error: Error) => facts.failures.push(`${error.message} ${String(error.cause)}`)
      )
    }
  }
  await Promise.all(Array.from({ length: CALLERS }, caller))
  return facts
}

/** Reconciles until nothing is left to do and no lease is held. */
async function settle(): Promise<Facts> {
  const deadline = performance.now() + SETTLE_MS
  for (;;) {
    const { actions } = await house.reconciler.reconcile()
    const facts = await look()
    const held = facts.rows.filter(({ leaseOwner }) => leaseOwner !== null)
    if (actions.length === 0 && held.length === 0) return facts
    if (performance.now() > deadline) return facts
    const { setTimeout: after } = await import('node:timers/promises')
    await after(TAKE_OVER_MS)
  }
}

async function look(): Promise<Facts> {
  const { default: UserContainer } = await import('#models/user_container')
  const rows = await UserContainer.all()
  const listed = await Array.fromAsync(house.driver.list())
  return {
    rows: rows.map(({ userId, status, desired, containerId, endpoint, leaseOwner }) => ({
      agent: `user/${userId}` as const,
      status,
      desired,
      containerId,
      endpoint,
      leaseOwner,
    })),
    instances: listed.map(({ agent, name, id, endpoint, status }) => ({
      agent,
      name,
      id,
      endpoint,
      status,
    })),
  }
}

/** Wakes every agent and asks what it remembers. */
async function memories(agents: AgentKey[]): Promise<Record<AgentKey, string[]>> {
  const all: Record<AgentKey, string[]> = {}
  for (const agent of agents) {
    /** Another replica may have moved it since this one cached its address. */
    house.lifecycle.invalidate(agent)
    const { url, token } = await house.lifecycle.startAndWait(agent)
    all[agent] = await remembered(url, token)
  }
  return all
}

/** Wakes every agent with a message; returns a sentence for each agent that does not wake. */
async function revive(agents: AgentKey[]): Promise<string[]> {
  const told = agents.map(async (agent) => {
    house.lifecycle.invalidate(agent)
    try {
      await house.lifecycle.ensureRunning(agent)
      return []
    } catch (error) {
      if (!isExplained(error)) tell({ agent, unexplained: String(error) })
      return [`${agent}: ${String(error)}`]
    }
  })
  return (await Promise.all(told)).flat()
}

function setClockBack(ms: number): true {
  setBackBy += ms
  return true
}

function refOf(agent: AgentKey): InstanceRef {
  return { name: `mosaic-user-${agent.slice('user/'.length)}`, state: null }
}

/** Removes everything of every agent. */
async function clear(agents: AgentKey[]): Promise<true> {
  for (const agent of agents) {
    await house.lifecycle.stop(agent)
    await house.driver.purge(refOf(agent))
  }
  return true
}

const ANSWERS: Record<string, (input: never) => unknown> = {
  prepare,
  contend,
  go,
  halt,
  settle,
  revive,
  setClockBack,
  memories,
  clear,
}

answerQuestions(ANSWERS, {})
