import type { Swarm, SwarmNode } from '#tests/engine/swarm'
import { LABEL } from '#runtimes/engine/labels'
import { defaultsOf } from '#runtimes/options'
import { SwarmDriver } from '#runtimes/drivers/swarm/driver'
import {
  SWARM_OPTIONS,
  type SwarmDriverConfig,
  type SwarmSettings,
} from '#runtimes/drivers/swarm/options'
import type { Task } from '#runtimes/drivers/swarm/objects'
import { AgentDocuments } from '#tests/doubles/agent_documents'
import { doubleWithin } from '#tests/contracts/double_within'
import { until } from '#tests/contracts/until'
import type { FakeBehaviour } from '#tests/doubles/fake_openclaw'
import type { DriverState, Instance, InstanceSpec, RuntimeContext } from '#runtimes/contract'
import type { RuntimeTrial } from '#tests/contracts/runtime'
import { trialSpec } from '#tests/contracts/trial_spec'

const SCRIPTS = new URL('../../docker/agent/', import.meta.url).pathname

/** Default installation of a trial. */
export const HERE = 'installation-here'

/** One port for all trials, so that the nodes' packet filters stay as they are. */
const PORT = 24_311

/** Includes the wait for the lease of an agent that another node had. */
const READY_MS = 60_000
/** Nodes remove a task's container after its grace. */
const ENDED_MS = 60_000

/** Runs the swarm driver in the tests' swarm, with a fast-starting double of OpenClaw. */
export class SwarmTrial implements RuntimeTrial {
  readonly #drivers: SwarmDriver[] = []
  readonly #installations = new Set<string>()
  readonly documents = new AgentDocuments()
  readonly elsewhere = (notes: DriverState) => ({ ...notes, engine: 'another' })

  readonly within = doubleWithin

  private constructor(
    readonly swarm: Swarm,
    readonly config: SwarmDriverConfig
  ) {}

  static async prepare(swarm: Swarm, settings: Partial<SwarmSettings> = {}): Promise<SwarmTrial> {
    const trial = new SwarmTrial(swarm, {
      scripts: SCRIPTS,
      image: swarm.manager.gatewayImage,
      internalPort: PORT,
      settings: async () => ({
        ...defaultsOf(SWARM_OPTIONS),
        host: swarm.manager.host,
        sharedPath: null,
        volumeDriver: null,
        volumeOptions: [],
        sources: [],
        egress: 'open',
        image: null,
        ...settings,
      }),
    })
    await trial.documents.start('0.0.0.0', PORT)
    return trial
  }

  get apiUrl(): string {
    return `http://${this.swarm.manager.address}:${PORT}`
  }

  async open(installation: string, change: Partial<SwarmDriverConfig> = {}): Promise<SwarmDriver> {
    const driver = new SwarmDriver({ ...this.config, ...change }, installation)
    this.#drivers.push(driver)
    this.#installations.add(installation)
    return driver
  }

  async kill({ id }: Instance): Promise<void> {
    const { node, container } = await this.placeOf(id)
    await node.docker.getContainer(container).kill()
  }

  /** Returns the node and the container of a task. */
  async placeOf(task: string): Promise<{ node: SwarmNode; container: string }> {
    const { docker } = this.swarm.manager
    const found = (await docker.getTask(task).inspect()) as Task
    const { Description } = await docker.getNode(found.NodeID!).inspect()
    const node = this.swarm.nodes.find(({ name }) => name === Description.Hostname)!
    return { node, container: found.Status.ContainerStatus!.ContainerID }
  }

  async plant(name: string): Promise<() => Promise<boolean>> {
    const { docker } = this.swarm.manager
    const { id } = (await docker.createService({
      Name: name,
      TaskTemplate: {
        ContainerSpec: { Image: await this.swarm.gatewayImage(), Command: ['sleep', '600'] },
      },
    })) as unknown as { id: string }
    const inspect = () => docker.getService(name).inspect()
    const before = await inspect()
    return async () => {
      const after = await inspect()
      await docker.getService(name).remove()
      return after.ID === id && after.Version.Index === before.Version.Index
    }
  }

  /** Creates a spec of a new agent, whose document tells the double of OpenClaw how to behave. */
  spec(fake: FakeBehaviour = {}, change: Partial<InstanceSpec> = {}): InstanceSpec {
    const limits = { memoryMb: 256, cpus: 1, processes: 64 }
    const spec = trialSpec({ installation: HERE, apiUrl: this.apiUrl, limits, ...change })
    this.documents.serve(spec.agent, { fake })
    return spec
  }

  /** Returns the context of a caller who never leaves. */
  patient(): RuntimeContext {
    return { signal: new AbortController().signal }
  }

  async start(spec: InstanceSpec, driver = this.#drivers[0]): Promise<Instance> {
    const instance = await driver.ensure(spec, this.patient())
    const isReady = async () => (await fetch(`${instance.endpoint}/startupz`).catch(() => null))?.ok
    await until(isReady, READY_MS).catch(async (cause: unknown) => {
      const seen = await driver.inspect({ name: spec.name, state: null })
      const { node, container } = await this.placeOf(instance.id)
      // The swarm's own logs would wait for a node that is cut off.
      const options = { stdout: true, stderr: true, tail: 20, follow: false } as const
      const lines = await node.docker.getContainer(container).logs(options)
      throw new Error(`${JSON.stringify(seen)} said:\n${lines.toString()}`, { cause })
    })
    return instance
  }

  /** Sends a message, and returns the answer, which tells the number of its turn. */
  async chat({ endpoint }: Instance, { token }: InstanceSpec): Promise<string> {
    const response = await fetch(`${endpoint}/v1/chat/completions`, {
      method: 'POST',
      headers: {
        'authorization': `Bearer ${token.release()}`,
        'x-openclaw-session-key': 'contract',
      },
      body: JSON.stringify({ model: 'openclaw', messages: [{ role: 'user', content: 'hi' }] }),
      signal: AbortSignal.timeout(20_000),
    })
    const body = (await response.json()) as { choices: { message: { content: string } }[] }
    return body.choices[0].message.content
  }

  /** Lists the names of what the installation has of a kind. */
  async names(kind: 'services' | 'secrets' | 'configs', installation = HERE): Promise<string[]> {
    const { docker } = this.swarm.manager
    const filters = { label: [`${LABEL.installation}=${installation}`] }
    const lists = {
      services: () => docker.listServices({ filters }),
      secrets: () => docker.listSecrets({ filters }),
      configs: () => docker.listConfigs({ filters }),
    }
    const found = (await lists[kind]()) as {
      Spec: { Name: string; Labels: Record<string, string> }
    }[]
    return found.map(({ Spec }) => Spec.Name)
  }

  /** Keeps the networks and their guards for the next trial, because their isolation stays proven. */
  async close(): Promise<void> {
    const { docker } = this.swarm.manager
    // First, as the next trial needs the port whatever happens here.
    await this.documents.stop()
    for (const driver of this.#drivers) await driver.close()
    for (const installation of this.#installations) {
      const names = (await this.names('services', installation)).filter(
        (name) => !name.endsWith('-guard')
      )
      await Promise.all(names.map((name) => docker.getService(name).remove()))
      await until(async () => (await this.#tasks(names)) === 0, ENDED_MS)
      const secrets = await this.names('secrets', installation)
      await Promise.all(secrets.map((name) => docker.getSecret(name).remove()))
      const homes = (await this.names('configs', installation)).filter((name) =>
        /-home-/.test(name)
      )
      await Promise.all(homes.map((name) => docker.getConfig(name).remove()))
      await this.#removeVolumes(installation)
    }
  }

  async #tasks(services: string[]): Promise<number> {
    const tasks = (await this.swarm.manager.docker.listTasks()) as Task[]
    return tasks.filter(({ Spec }) =>
      services.includes(Spec.ContainerSpec.Labels?.[LABEL.name] ?? '')
    ).length
  }

  async #removeVolumes(installation: string): Promise<void> {
    const filters = { label: [`${LABEL.installation}=${installation}`] }
    for (const { docker } of this.swarm.nodes) {
      const { Volumes } = await docker.listVolumes({ filters })
      // A container that the node is about to remove may still use its volume.
      await Promise.allSettled(Volumes.map(({ Name }) => docker.getVolume(Name).remove()))
    }
  }
}

/** Removes what trials share. */
export async function removeNetworks(swarm: Swarm, installations: string[]): Promise<void> {
  const { docker } = swarm.manager
  for (const installation of installations) {
    const filters = { label: [`${LABEL.installation}=${installation}`] }
    const services = await docker.listServices({ filters })
    await Promise.all(services.map(({ ID }) => docker.getService(ID!).remove()))
    const networks = await docker.listNetworks({ filters })
    await until(async () => {
      const ended = await Promise.allSettled(
        networks.map(({ Id }) => docker.getNetwork(Id).remove())
      )
      return ended.every(({ status }, at) => status === 'fulfilled' || !networks[at])
    })
    const configs = await docker.listConfigs({ filters })
    await Promise.all(configs.map(({ ID }) => docker.getConfig(ID).remove()))
  }
}
