import { E_RUNTIME_NAME_TAKEN, RuntimeError } from '#runtimes/errors'
import { LABEL } from '#runtimes/engine/labels'
import { inRounds } from '#runtimes/engine/rounds'
import { shortHash } from '#runtimes/engine/short_hash'
import { nameServers } from '#runtimes/engine/agent_container'
import { stateVolume } from '#runtimes/drivers/docker/volumes'
import { agentContainer } from '#runtimes/drivers/docker/container_options'
import { isNameConflict, statusOf } from '#runtimes/engine/engine'
import type { Found } from '#runtimes/drivers/docker/containers'
import type { EngineSession } from '#runtimes/drivers/docker/engine_session'
import type { Instance, InstanceSpec, RuntimeContext } from '#runtimes/contract'

const REPLACE_GRACE_MS = 5000

/** Increase it when this driver maps specs differently, so that older containers are replaced. */
const SHAPE_VERSION = 2

export interface ProvisionerOptions {
  /** Grace of an instance that another spec replaces, in milliseconds. */
  replaceGraceMs?: number
}

/** Brings an agent's container from any state to the state that its spec requires. */
export class Provisioner {
  readonly #parts: Omit<EngineSession, 'maker'>
  readonly #options: ProvisionerOptions

  constructor(parts: Omit<EngineSession, 'maker'>, options: ProvisionerOptions) {
    this.#parts = parts
    this.#options = options
  }

  /**
   * As the driver's `ensure`, for one caller at a time within this process. Other processes may work on
   * the same agent concurrently: each step inspects the container afresh and accepts what another
   * process created.
   */
  async ensure(spec: InstanceSpec, context: RuntimeContext): Promise<Instance> {
    const { signal } = context
    let resolved: Promise<string> | null = null
    const ready = async () => {
      const { images, image: usual, isolation, settings } = this.#parts
      resolved ??= images.resolve(spec.image ?? usual, settings.pullPolicy, context)
      const image = await resolved
      await isolation.require(image)
      return image
    }
    return inRounds({ name: spec.name, kind: 'containers', signal }, () =>
      this.#round(spec, context, ready)
    )
  }

  /**
   * Inspects the container and takes the next step. Null requests another round.
   *
   * @param ready returns the image once agents may start from it
   */
  async #round(
    spec: InstanceSpec,
    context: RuntimeContext,
    ready: () => Promise<string>
  ): Promise<Instance | null> {
    const { containers, memory, topology } = this.#parts
    const found = await containers.find(spec.name)
    if (!found) return this.#make(spec, await ready(), context)
    if (!containers.isOurs(found)) throw new E_RUNTIME_NAME_TAKEN(spec.name)

    const { Id: id, State, Config } = found
    const isSame =
      Config.Labels[LABEL.spec] === spec.hash && Config.Labels[LABEL.shape] === this.#shape(spec)
    if (isSame && State.Running) {
      await topology.reach(found)
      if (State.Paused) {
        await memory.restore(found)
        await containers.unpause(id)
      }
      return containers.toInstance(found)
    }
    if (isSame && State.Status === 'created') return this.#start(spec, id, context)
    if (State.Running) {
      // Where none may start, the former instance goes on.
      await ready()
      context.onProgress?.('Ending the former instance')
      context.signal.throwIfAborted()
      await containers.stop(found, this.#options.replaceGraceMs ?? REPLACE_GRACE_MS)
    }
    await containers.remove(id)
    return null
  }

  async #make(
    spec: InstanceSpec,
    image: string,
    context: RuntimeContext
  ): Promise<Instance | null> {
    const { engine, volumes, replaced, topology, containers, handover } = this.#parts
    const { signal, onProgress } = context
    onProgress?.('Making the container')
    signal.throwIfAborted()

    if (!(await volumes.hasState(spec.name, context.state))) {
      await replaced.putBack(spec.name, image, signal)
    }
    const isNew = await volumes.ensureState(spec.name, image)
    try {
      const network = await topology.networkOf(spec.name)
      await handover.put(spec, image)
      signal.throwIfAborted()
      const mounts = [volumes.stateMount(spec.name), handover.mount(spec.name)]
      const shape = this.#shape(spec)
      const { egress } = topology
      const cpus = await engine.processors(spec.limits.cpus)
      const fitting = { ...spec, limits: { ...spec.limits, cpus } }
      const place = { network: network.name, engine: await engine.identity() }
      const id = await containers.create(
        agentContainer({ spec: fitting, image, egress, shape, mounts, ...place })
      )
      return await this.#start(spec, id, context)
    } catch (error) {
      // Another process of Mosaic is creating the same container; the next round finds it.
      if (isNameConflict(error)) return null
      if (isNew) await this.#forget(spec.name)
      throw error
    }
  }

  /** Starts the created container, and removes it if it fails to start or is no longer wanted. */
  async #start(
    { name }: InstanceSpec,
    id: string,
    { signal, onProgress }: RuntimeContext
  ): Promise<Instance | null> {
    const { containers, topology, isolation } = this.#parts
    try {
      signal.throwIfAborted()
      onProgress?.('Starting the agent')
      await containers.start(id)
      signal.throwIfAborted()
    } catch (error) {
      const isGone = statusOf(error) === 404 && !signal.aborted
      await containers.remove(id)
      if (isGone) {
        // Someone removed the container or its network. A new network needs a new proof.
        topology.forget()
        isolation.forget()
        return null
      }
      throw signal.aborted ? signal.reason : error
    }
    const found = await containers.find(id)
    const instance = found && containers.toInstance(found)
    if (instance) {
      await topology.reach(found)
      return instance
    }
    return found ? this.#endedAtOnce(found, name) : null
  }

  /** Throws the reason why the instance exited during its start. */
  async #endedAtOnce(found: Found, name: string): Promise<never> {
    const { failure } = await this.#parts.containers.observe(found)
    throw new RuntimeError(
      failure?.reason ?? 'exited_early',
      failure?.message ?? `${name} ended while it was being started.`
    )
  }

  /** Removes what was created for an agent that had nothing before. */
  async #forget(name: string): Promise<void> {
    const { containers, handover, volumes, topology } = this.#parts
    if (await containers.find(name)) return
    await handover.delete(name).catch(() => {})
    await volumes.delete(stateVolume(name)).catch(() => {})
    await topology.release(name).catch(() => {})
  }

  #shape({ name }: InstanceSpec): string {
    const { topology } = this.#parts
    const parts = [
      SHAPE_VERSION,
      topology.networkName(name),
      ...(nameServers(topology.egress) ?? []),
    ]
    return shortHash(JSON.stringify(parts))
  }
}
