import { statusOf, isNameConflict, type Engine } from '#runtimes/engine/engine'
import { isOf, LABEL } from '#runtimes/engine/labels'
import { logLines } from '#runtimes/engine/log_lines'
import { isOutOfSequence } from '#runtimes/drivers/swarm/cluster'
import type { Service, ServiceSpec, Task } from '#runtimes/drivers/swarm/objects'

/** The engine waits for logs of all nodes; a lost one never sends any. */
const LOGS_MS = 5000

/** The services and tasks of one installation in one swarm. */
export class Services {
  readonly #engine: Engine
  readonly #installation: string

  constructor(engine: Engine, installation: string) {
    this.#engine = engine
    this.#installation = installation
  }

  /** Returns the service of this name, ours or not. */
  async find(name: string): Promise<Service | null> {
    return this.#engine.find((docker, options) =>
      docker.getService(name).inspect(options as object)
    ) as Promise<Service | null>
  }

  /** Returns the agent's service of this name, if it is ours. */
  async findOurs(name: string): Promise<Service | null> {
    const found = await this.find(name)
    return found && this.isAgent(found) ? found : null
  }

  isAgent({ Spec }: Service): boolean {
    return isOf(this.#installation, Spec.Labels) && LABEL.agent in Spec.Labels
  }

  /** Returns all agents' services of the installation. */
  async agents(): Promise<Service[]> {
    const filters = { label: [`${LABEL.installation}=${this.#installation}`] }
    const found = (await this.#engine.call((docker, options) =>
      docker.listServices({ filters, ...options } as object)
    )) as unknown as Service[]
    // The engine's filter of services takes no label without a value.
    return found.filter((service) => this.isAgent(service))
  }

  /** Returns the driver's own services of a purpose. */
  async ofPurpose(purpose: 'probe' | 'steward'): Promise<Service[]> {
    const filters = {
      label: [`${LABEL.installation}=${this.#installation}`, `${LABEL.purpose}=${purpose}`],
    }
    return (await this.#engine.call((docker, options) =>
      docker.listServices({ filters, ...options } as object)
    )) as unknown as Service[]
  }

  /** Returns the tasks of one service, or of all of the installation, those that ended lately included. */
  async tasks(name: string | null): Promise<Task[]> {
    const label = name === null ? [] : [`${LABEL.name}=${name}`]
    const filters = { label: [`${LABEL.installation}=${this.#installation}`, ...label] }
    return (await this.#engine.call((docker, options) =>
      docker.listTasks({ filters, ...options } as object)
    )) as Task[]
  }

  /** @returns the id, or null if another service has that name */
  async create(spec: ServiceSpec): Promise<string | null> {
    try {
      const { id } = (await this.#engine.call((docker, options) =>
        docker.createService({ ...spec, ...options } as object)
      )) as { id: string }
      return id
    } catch (error) {
      if (isNameConflict(error)) return null
      throw error
    }
  }

  /** Replaces the spec. Returns false if another process changed or removed the service meanwhile. */
  async update({ ID, Version }: Service, spec: ServiceSpec): Promise<boolean> {
    try {
      await this.#engine.call((docker, options) =>
        docker
          .getService(ID)
          .update({ _query: { version: Version.Index }, _body: spec, ...options } as object)
      )
      return true
    } catch (error) {
      if (isOutOfSequence(error) || statusOf(error) === 404) return false
      throw error
    }
  }

  /** Has a service run no task, or one. */
  scale(service: Service, replicas: number): Promise<boolean> {
    const Mode = { Replicated: { Replicas: replicas } }
    return this.update(service, { ...service.Spec, Mode })
  }

  async remove(name: string): Promise<void> {
    await this.#engine.settle((docker, options) =>
      docker.getService(name).remove(options as object)
    )
  }

  /** Returns the last lines that its tasks wrote; none if their node does not answer in time. */
  async logs(service: Service, tail: number): Promise<string[]> {
    return (await this.lastOfEach(service, tail)).slice(-tail)
  }

  /** Returns so many last lines of each of its tasks, in no particular order. */
  async lastOfEach({ ID }: Service, tail: number): Promise<string[]> {
    const bytes = (await this.#engine
      .call(
        (docker, options) =>
          docker.getService(ID).logs({ stdout: true, stderr: true, tail, ...options } as object),
        LOGS_MS
      )
      .catch((error: unknown) => {
        if (statusOf(error) === 404) return null
        throw error
      })) as unknown as Buffer | null
    return bytes ? logLines(Buffer.from(bytes)) : []
  }
}
