import { rm } from 'node:fs/promises'
import type { Engine } from '#tests/engine/engine'
import { RuntimeError } from '#runtimes/errors'
import { LABEL } from '#runtimes/engine/labels'
import { shortHash } from '#runtimes/engine/short_hash'
import { AgentDocuments } from '#tests/doubles/agent_documents'
import { DockerDriver, type DockerDriverConfig } from '#runtimes/drivers/docker/driver'
import { doubleWithin } from '#tests/contracts/double_within'
import type { FakeBehaviour } from '#tests/doubles/fake_openclaw'
import type {
  DriverState,
  Instance,
  InstanceSpec,
  Observed,
  RuntimeContext,
} from '#runtimes/contract'
import type { RuntimeTrial } from '#tests/contracts/runtime'
import { freePort } from '#tests/free_port'
import { trialSpec } from '#tests/contracts/trial_spec'
import { until } from '#tests/contracts/until'

const ENTRYPOINT = new URL('../../docker/agent/entrypoint.sh', import.meta.url).pathname

/** Default installation of a trial. */
export const HERE = 'installation-here'

/** Shorter than Mosaic relies on a proof of isolation without renewing it, which takes containers of its own. */
const SHARED_MS = 3 * 60_000

interface Place {
  port: number
  /** When the first trial got it, by `performance.now()`. */
  since: number
}

/** Places of closed trials. A proof of isolation is for one port: with a new port, each trial would start two probes. */
const places: Place[] = []

/** @param isOther Whether the trial reaches the engine, or is reached, in another way than usual. */
async function placeForTrial(isOther: boolean): Promise<Place> {
  const former = isOther ? undefined : places.pop()
  if (former && performance.now() - former.since < SHARED_MS) return former
  return { port: await freePort('0.0.0.0'), since: performance.now() }
}

/** Runs the docker driver on the tests' engine, with a fast-starting double of OpenClaw. */
export class DockerTrial implements RuntimeTrial {
  readonly #drivers: DockerDriver[] = []
  readonly #installations = new Set<string>()
  readonly #callbacks = new Map<string, string>()
  readonly documents = new AgentDocuments()

  /** Undefined if others share the engine. */
  readonly restartEngine?: () => Promise<void>

  private constructor(
    readonly engine: Engine,
    readonly config: DockerDriverConfig,
    protected place: Place
  ) {
    if (!engine.isPrivate) return
    this.restartEngine = async () => {
      await engine.kill()
      await engine.start()
    }
  }

  static async prepare(
    engine: Engine,
    change: Partial<DockerDriverConfig> = {}
  ): Promise<DockerTrial> {
    const isOther = Object.keys(change).length > 0
    const place = await placeForTrial(isOther)
    return DockerTrial.at(place, engine, change).catch(async (error) => {
      /** Somebody else has taken the port since the last trial. */
      if (error.code !== 'EADDRINUSE') throw error
      return DockerTrial.at(await placeForTrial(true), engine, change)
    })
  }

  private static async at(
    place: Place,
    engine: Engine,
    change: Partial<DockerDriverConfig>
  ): Promise<DockerTrial> {
    const config: DockerDriverConfig = {
      entrypoint: ENTRYPOINT,
      image: engine.gatewayImage,
      internalPort: place.port,
      container: null,
      settings: async () => ({ host: engine.host, pullPolicy: 'never' }),
      ...change,
    }
    const trial = new DockerTrial(engine, config, place)
    await trial.documents.start('0.0.0.0', place.port)
    return trial
  }

  get apiUrl(): string {
    return this.apiUrlOf(HERE)
  }

  /** The agents of each installation are on a separate bridge. */
  apiUrlOf(installation: string): string {
    return `http://${this.#callbacks.get(installation)}:${this.config.internalPort}`
  }

  async open(
    installation: string,
    change: Partial<DockerDriverConfig> = {}
  ): Promise<DockerDriver> {
    const driver = new DockerDriver({ ...this.config, ...change }, installation)
    this.#drivers.push(driver)
    this.#installations.add(installation)
    if (!this.#callbacks.has(installation)) {
      this.#callbacks.set(installation, (await driver.callback()).host)
    }
    return driver
  }

  async kill({ id }: Instance): Promise<void> {
    await this.engine.docker.getContainer(id).kill()
  }

  async plant(name: string): Promise<() => Promise<boolean>> {
    const { docker } = this.engine
    await docker.createVolume({ Name: `${name}-state` })
    const foreign = await docker.createContainer({
      name,
      Image: this.engine.gatewayImage,
      Entrypoint: ['sleep', '600'],
      HostConfig: { NetworkMode: 'none' },
    })
    await foreign.start()
    return async () => {
      const { Id, State } = await docker.getContainer(name).inspect()
      await docker.getVolume(`${name}-state`).inspect()
      await foreign.remove({ force: true })
      await docker.getVolume(`${name}-state`).remove()
      return Id === foreign.id && State.Running
    }
  }

  readonly elsewhere = (notes: DriverState) => ({ ...notes, engine: 'another' })

  readonly within = doubleWithin

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
    await until(async () => (await fetch(`${instance.endpoint}/startupz`).catch(() => null))?.ok)
    return instance
  }

  ended(instance: Instance): Promise<Observed> {
    return until(async () => {
      const observed = await this.#drivers[0].inspect(instance)
      return observed?.status === 'exited' ? observed : null
    })
  }

  async failureOf(driver: DockerDriver, spec: InstanceSpec): Promise<RuntimeError> {
    const error = await driver.ensure(spec, this.patient()).catch((thrown) => thrown)
    if (!(error instanceof RuntimeError)) throw new Error('It did not fail as a runtime does')
    return error
  }

  /** Lists the installation's containers, of any purpose. */
  async containers(installation = HERE): Promise<string[]> {
    const filters = { label: [`${LABEL.installation}=${installation}`] }
    const listed = await this.engine.docker.listContainers({ all: true, filters })
    return listed.map(({ Names }) => Names[0].slice(1))
  }

  /** Lists the installation's volumes. */
  async volumes(installation = HERE): Promise<string[]> {
    const filters = { label: [`${LABEL.installation}=${installation}`] }
    const { Volumes } = await this.engine.docker.listVolumes({ filters })
    return Volumes.map(({ Name }) => Name)
  }

  /** Keeps the networks for the next trial, because their isolation stays proven. */
  async close(): Promise<void> {
    const { docker } = this.engine
    for (const installation of this.#installations) {
      const names = await this.containers(installation)
      await Promise.all(names.map((name) => docker.getContainer(name).remove({ force: true })))
      const volumes = await this.volumes(installation)
      await Promise.all(volumes.map((name) => docker.getVolume(name).remove()))
      for (const base of ['/run/mosaic', '/dev/shm/mosaic']) {
        await rm(`${base}/${shortHash(installation)}`, { recursive: true, force: true })
      }
    }
    for (const driver of this.#drivers) await driver.close()
    await this.documents.stop()
    places.push(this.place)
  }
}

/** Removes the networks that trials share. */
export async function removeNetworks({ docker }: Engine, installations: string[]): Promise<void> {
  for (const installation of installations) {
    const filters = { label: [`${LABEL.installation}=${installation}`] }
    const networks = await docker.listNetworks({ filters })
    await Promise.all(networks.map(({ Id }) => docker.getNetwork(Id).remove()))
  }
}
