import { E_RUNTIME_NAME_TAKEN, RuntimeError } from '#runtimes/errors'
import type { Instance, InstanceSpec, RuntimeContext } from '#runtimes/contract'
import { LABEL } from '#runtimes/engine/labels'
import { inRounds } from '#runtimes/engine/rounds'
import { nameServers } from '#runtimes/engine/agent_container'
import { refuseElsewhere } from '#runtimes/engine/data_place'
import { shortHash } from '#runtimes/engine/short_hash'
import { agentService } from '#runtimes/drivers/swarm/agent_service'
import type { FileReference } from '#runtimes/drivers/swarm/handed_files'
import {
  instanceOf,
  LAST_LINES,
  observe,
  rejection,
  sightOf,
  type Sight,
} from '#runtimes/drivers/swarm/observation'
import { hasEnded, isWanted, isWithdrawn, type Service } from '#runtimes/drivers/swarm/objects'
import { until } from '#runtimes/drivers/swarm/polling'
import type { Home } from '#runtimes/drivers/swarm/homes'
import type { SwarmParts } from '#runtimes/drivers/swarm/session'

/** How long a swarm may take to start a task, the fetch of an image by its node included. */
const START_MS = 10 * 60_000
/** How long a task may wait for a node that suits it: one may just have joined. */
const UNPLACED_MS = 5000

/** Increase it when this driver maps specs differently, so that older services are replaced. */
const SHAPE_VERSION = 2

interface Start {
  spec: InstanceSpec
  home: Home
  image: string
  context: RuntimeContext
}

/** Brings an agent's service from any state to the state that its spec requires. */
export class Provisioner {
  readonly #parts: SwarmParts

  constructor(parts: SwarmParts) {
    this.#parts = parts
  }

  /**
   * As the driver's `ensure`, for one caller at a time within this process. The swarm refuses a change of a service
   * that another process changed meanwhile; then the next round looks again.
   */
  async ensure(spec: InstanceSpec, context: RuntimeContext): Promise<Instance> {
    const { signal } = context
    return inRounds({ name: spec.name, kind: 'services', signal }, () => this.#round(spec, context))
  }

  async #round(spec: InstanceSpec, context: RuntimeContext): Promise<Instance | null> {
    const { services } = this.#parts
    const service = await services.find(spec.name)
    if (!service) return this.#make(spec, context)
    if (!services.isAgent(service)) throw new E_RUNTIME_NAME_TAKEN(spec.name)
    const { Labels } = service.Spec
    const home = await this.#parts.homes.find(spec.name)
    const image = await this.#image(spec, context)
    const isSame = Labels[LABEL.spec] === spec.hash && Labels[LABEL.shape] === this.#shape(image)
    if (!isSame || home?.data !== 'whole') return this.#replace(spec, image, context)

    const sight = await this.#look(service)
    if (isWanted(service)) {
      const instance = instanceOf(sight)
      if (instance) return instance
      if (sight.task && !hasEnded(sight.task) && !sight.node?.isLost) {
        return this.#started(service, service.Spec.TaskTemplate.ForceUpdate ?? 0, context)
      }
    }
    return this.#start(service, service.Spec, { spec, home, image, context })
  }

  /** Gives the service another spec. Its tasks end before the new one starts. */
  async #replace(
    spec: InstanceSpec,
    image: string,
    context: RuntimeContext
  ): Promise<Instance | null> {
    context.onProgress?.('Ending the former instance')
    context.signal.throwIfAborted()
    const { stopper, services, files } = this.#parts
    await stopper.stop(spec.name)
    const secret = await files.token(spec)
    try {
      const { home, service: next } = await this.#spec(spec, image, secret, context)
      const current = await services.findOurs(spec.name)
      if (!current) return null
      next.TaskTemplate.ForceUpdate = current.Spec.TaskTemplate.ForceUpdate
      return await this.#start(current, next, { spec, home, image, context })
    } finally {
      // Each attempt has another token, so attempts that fail would leave one each.
      await files.prune(spec.name).catch(() => {})
    }
  }

  async #make(spec: InstanceSpec, context: RuntimeContext): Promise<Instance | null> {
    const { services, files, homes, stopper, cluster } = this.#parts
    const image = await this.#image(spec, context)
    context.onProgress?.('Making the service')
    context.signal.throwIfAborted()
    const isNew = (await homes.find(spec.name)) === null
    if (isNew) refuseElsewhere(spec.name, context.state, await cluster.identity())
    const secret = await files.token(spec)
    try {
      const { home, service: made } = await this.#spec(spec, image, secret, context)
      context.signal.throwIfAborted()
      if ((await services.create(made)) === null) return null
      const service = await services.find(spec.name)
      return service && (await this.#start(service, service.Spec, { spec, home, image, context }))
    } catch (error) {
      await stopper.remove(spec.name).catch(() => {})
      await files.prune(spec.name).catch(() => {})
      if (isNew) await homes.delete(spec.name).catch(() => {})
      throw error
    }
  }

  /** Starts a service as `next`, and stops it again if it fails to start or is no longer wanted. */
  async #start(
    service: Service,
    next: Service['Spec'],
    { spec, home, image, context }: Start
  ): Promise<Instance | null> {
    const { services, stopper, placement } = this.#parts
    const start = (service.Spec.TaskTemplate.ForceUpdate ?? 0) + 1
    const Placement = { Constraints: await placement.constraints(spec, home, image) }
    const TaskTemplate = { ...next.TaskTemplate, Placement, ForceUpdate: start }
    context.onProgress?.('Starting the agent')
    context.signal.throwIfAborted()
    const wanted = { ...next, TaskTemplate, Mode: { Replicated: { Replicas: 1 } } }
    if (!(await services.update(service, wanted))) return null
    try {
      return await this.#started({ ...service, Spec: wanted }, start, context)
    } catch (error) {
      if (context.signal.aborted) await stopper.stop(spec.name)
      throw context.signal.aborted ? context.signal.reason : error
    }
  }

  /**
   * Waits until the task of this start runs. Returns null if somebody changed the service meanwhile.
   *
   * @throws RuntimeError with the reason why it does not run
   */
  async #started(
    service: Service,
    start: number,
    { signal }: RuntimeContext
  ): Promise<Instance | null> {
    const { services, stopper } = this.#parts
    const { Name } = service.Spec
    const began = performance.now()
    const outcome = await until(
      async () => {
        const sight = await this.#look(service)
        const found = sight.task?.Spec.ForceUpdate ?? 0
        if (found > start) return { instance: null }
        if (!sight.task || found < start) {
          return performance.now() - began > START_MS / 2 ? { instance: null } : false
        }
        const instance = instanceOf(sight)
        if (instance) return { instance }
        if (hasEnded(sight.task)) {
          // Another process may have stopped or replaced it.
          const now = await services.find(Name)
          if (!now || !isWanted(now)) return { instance: null }
          // The swarm itself ends tasks of a node that has just come back.
          if (isWithdrawn(sight.task)) return { instance: null }
          await this.#endedAtOnce(sight)
        }
        const { State, Err } = sight.task.Status
        if (State === 'pending' && Err && performance.now() - began > UNPLACED_MS) {
          await stopper.stop(Name)
          throw unplaced(Err)
        }
        return false
      },
      START_MS,
      signal
    )
    if (!outcome) {
      await stopper.stop(Name)
      throw new RuntimeError('boot_timeout', `The swarm did not start ${Name} in time.`)
    }
    return outcome.instance
  }

  /** Throws the reason why the task ended during its start. */
  async #endedAtOnce(sight: Sight): Promise<never> {
    const { Status } = sight.task!
    if (Status.State === 'rejected') {
      const { reason, message } = rejection(Status.Err ?? '')
      throw new RuntimeError(reason, message)
    }
    const { failure } = await observe(sight, () =>
      this.#parts.services.logs(sight.service, LAST_LINES)
    )
    throw new RuntimeError(
      failure?.reason ?? 'exited_early',
      failure?.message ?? `${sight.service.Spec.Name} ended while it was being started.`
    )
  }

  async #look(service: Service): Promise<Sight> {
    const { services, cluster } = this.#parts
    const [tasks, nodes] = await Promise.all([services.tasks(service.Spec.Name), cluster.nodes()])
    return sightOf(service, tasks, nodes)
  }

  async #spec(
    spec: InstanceSpec,
    image: string,
    secret: FileReference,
    context: RuntimeContext
  ): Promise<{ service: Service['Spec']; home: Home }> {
    const { mounts, files, settings, data, ground, placement, cluster } = this.#parts
    const { network } = await ground.require(image)
    const home = await data.settled(spec.name, image, context, spec.placement)
    const constraints = await placement.constraints(spec, home, image)
    const scripts = ['entrypoint.sh', 'keeper.sh']
    const service = agentService({
      spec,
      image,
      placement: { network, constraints },
      shape: this.#shape(image),
      engine: await cluster.identity(),
      state: mounts.forAgent(spec.name),
      secrets: [secret],
      configs: await Promise.all(scripts.map((file) => files.script(file))),
      isShared: mounts.isShared,
      egress: settings.egress,
      reserve: settings.reserve,
    })
    return { service, home }
  }

  #image(spec: InstanceSpec, context: RuntimeContext): Promise<string> {
    return this.#parts.images.resolve(spec.image ?? this.#parts.image, context)
  }

  /** The image is in it, so that all agents get a new digest of the same name at their next start. */
  #shape(image: string): string {
    const { settings, mounts } = this.#parts
    return shortHash(
      JSON.stringify([
        SHAPE_VERSION,
        image,
        mounts.isShared,
        settings.constraints,
        settings.reserve,
        ...(nameServers(settings.egress) ?? []),
      ])
    )
  }
}

function unplaced(why: string): RuntimeError {
  return new RuntimeError('no_capacity', `No node of the swarm can run it: ${why}`, {
    help: 'Add a node or memory, or change the constraints and reserved memory of the runtime.',
  })
}
