import { E_RUNTIME_NAME_TAKEN, RuntimeError } from '#runtimes/errors'
import { HANDED_FOLDER } from '#runtimes/engine/agent_container'
import { isNameConflict, type Engine } from '#runtimes/engine/engine'
import { isOf, LABEL } from '#runtimes/engine/labels'
import { shortHash } from '#runtimes/engine/short_hash'
import { LOG, tmpfs } from '#runtimes/drivers/swarm/agent_service'
import { guardRules } from '#runtimes/drivers/swarm/guard_rules'
import { memoryOfNodes } from '#runtimes/drivers/swarm/node_memory'
import { latestOf, type ServiceSpec, type Task } from '#runtimes/drivers/swarm/objects'
import { until } from '#runtimes/drivers/swarm/polling'
import type { Cluster, ClusterNode } from '#runtimes/drivers/swarm/cluster'
import type { FileReference, HandedFiles } from '#runtimes/drivers/swarm/handed_files'
import type { Services } from '#runtimes/drivers/swarm/services'

/** How long a node may take to start its guard, which may pull the image first. */
const GUARD_MS = 60_000
/** Enough for its report among what its packet filter says. */
const GUARD_LINES = 5

export interface NetworkSettings {
  mosaic: { address: string; port: number }
  egress: 'open' | 'sealed'
  /** Ranges of Mosaic besides its own address and the nodes'. */
  sources: string[]
  image: string
}

/** The agents' network, and the guards that separate it. */
export interface GuardedNetwork {
  id: string
  name: string
  egress: 'open' | 'sealed'
  /** Identifies the rules between agents and the rest. */
  rules: string
  /** Ready nodes whose guard runs with these rules. */
  guarded: ClusterNode[]
  /** Why a ready node has no guard, by its name. */
  unguarded: Map<string, string>
}

/**
 * One bridge on each node for its agents: no network between nodes, so agents of different nodes share none. A bridge
 * of a swarm takes no options, so a guard on each node separates the agents of one: a service with the node's
 * network, whose task is healthy once the rules are in place.
 */
export class AgentNetwork {
  readonly #engine: Engine
  readonly #installation: string
  readonly #cluster: Cluster
  readonly #services: Services
  readonly #files: HandedFiles

  constructor(
    engine: Engine,
    installation: string,
    parts: { cluster: Cluster; services: Services; files: HandedFiles }
  ) {
    this.#engine = engine
    this.#installation = installation
    this.#cluster = parts.cluster
    this.#services = parts.services
    this.#files = parts.files
  }

  get name(): string {
    return `mosaic-${shortHash(this.#installation)}-agents`
  }

  get #guardName(): string {
    return `mosaic-${shortHash(this.#installation)}-guard`
  }

  /**
   * Creates the network and the guards if missing, and waits until each ready node has one or says why not.
   *
   * @throws RuntimeError
   */
  async prepare(settings: NetworkSettings): Promise<GuardedNetwork> {
    const id = (await this.#find()) ?? (await this.#create())
    const nodes = (await this.#cluster.nodes()).filter(({ isReady }) => isReady)
    const bridge = `br-${id.slice(0, 12)}`
    const input = { bridge, mosaic: settings.mosaic, egress: settings.egress }
    const sources = [settings.mosaic.address, ...nodes.map(({ address }) => address)]
    const all = [...new Set([...sources, ...settings.sources])]
    const written = guardRules({ ...input, sources: all })
    const rules = shortHash(JSON.stringify(guardRules({ ...input, sources: [] })))
    const script = await this.#files.script('guard.sh')
    const shape = shortHash(JSON.stringify([written, settings.image, script.ConfigName]))
    await this.#ensureGuard({ ...written, bridge, script, shape, image: settings.image })
    return {
      id,
      name: this.name,
      egress: settings.egress,
      rules,
      ...(await this.#guardedOf(nodes, shape)),
    }
  }

  /** Whether it was created, by a start of an agent. */
  async exists(): Promise<boolean> {
    return (await this.#find()) !== null
  }

  /** Returns the bytes of memory in use by node, as its guard told within the last minute. */
  async memoryUsed(): Promise<Map<string, number>> {
    const guard = await this.#services.find(this.#guardName)
    if (!guard || !isOf(this.#installation, guard.Spec.Labels)) return new Map()
    return memoryOfNodes(await this.#services.lastOfEach(guard, GUARD_LINES))
  }

  async #guardedOf(nodes: ClusterNode[], shape: string) {
    const guarded = new Map<string, ClusterNode>()
    const unguarded = new Map<string, string>()
    await until(async () => {
      const tasks = (await this.#services.tasks(this.#guardName)).filter(
        ({ Spec }) => Spec.ContainerSpec.Labels?.[LABEL.shape] === shape
      )
      for (const node of nodes) {
        const task = latestOf(tasks.filter(({ NodeID }) => NodeID === node.id))
        const fault = task && faultOf(task)
        if (task?.Status.State === 'running') guarded.set(node.id, node)
        else if (fault) unguarded.set(node.name, fault)
      }
      return guarded.size + unguarded.size >= nodes.length
    }, GUARD_MS)
    for (const { id, name } of nodes) {
      if (!guarded.has(id) && !unguarded.has(name)) {
        unguarded.set(name, 'it was not ready in time')
      }
      if (guarded.has(id)) unguarded.delete(name)
    }
    return { guarded: [...guarded.values()], unguarded }
  }

  async #ensureGuard(input: GuardServiceInput): Promise<void> {
    for (;;) {
      const found = await this.#services.find(this.#guardName)
      if (found && !isOf(this.#installation, found.Spec.Labels)) {
        throw new E_RUNTIME_NAME_TAKEN(this.#guardName)
      }
      if (found?.Spec.Labels[LABEL.shape] === input.shape) return
      const spec = this.#guardService(input)
      const done = found
        ? await this.#services.update(found, spec)
        : (await this.#services.create(spec)) !== null
      if (done) return
    }
  }

  #guardService(input: GuardServiceInput): ServiceSpec {
    const { rules, jumps, bridge, script, shape, image } = input
    const labels = {
      [LABEL.installation]: this.#installation,
      [LABEL.name]: this.#guardName,
      [LABEL.purpose]: 'guard',
      [LABEL.shape]: shape,
    }
    return {
      Name: this.#guardName,
      Labels: labels,
      Mode: { Global: {} },
      TaskTemplate: {
        ContainerSpec: {
          Image: image,
          Labels: labels,
          Command: ['/bin/sh', `${HANDED_FOLDER}/guard.sh`],
          User: '0:0',
          Env: [
            `MOSAIC_RULES=${rules}`,
            `MOSAIC_JUMPS=${jumps}`,
            `MOSAIC_BRIDGE=${bridge}`,
            'MOSAIC_NODE={{.Node.ID}}',
          ],
          Init: true,
          ReadOnly: true,
          CapabilityDrop: ['ALL'],
          CapabilityAdd: ['NET_ADMIN', 'NET_RAW', 'SYS_CHROOT'],
          StopGracePeriod: 1e9,
          Healthcheck: {
            Test: ['CMD-SHELL', 'test -e /tmp/ready'],
            Interval: 250e6,
            Timeout: 5e9,
            StartPeriod: 30e9,
            Retries: 60,
          },
          Mounts: [
            tmpfs(1),
            { ...tmpfs(1), Target: '/node' },
            // The node's programs alone, without its settings and secrets.
            { Type: 'bind', Source: '/usr', Target: '/node/usr', ReadOnly: true },
          ],
          Configs: [script],
        },
        Resources: { Limits: { MemoryBytes: 64 * 1024 * 1024, Pids: 32 } },
        RestartPolicy: { Condition: 'any', Delay: 1e9 },
        Networks: [{ Target: 'host' }],
        LogDriver: LOG,
      },
      UpdateConfig: { Parallelism: 0, Order: 'stop-first', FailureAction: 'continue' },
    }
  }

  async #find(): Promise<string | null> {
    const found = await this.#engine.find((docker) => docker.getNetwork(this.name).inspect())
    if (!found) return null
    if (!isOf(this.#installation, found.Labels) || found.Scope !== 'swarm') {
      throw new E_RUNTIME_NAME_TAKEN(this.name)
    }
    return found.Id
  }

  async #create(): Promise<string> {
    try {
      await this.#engine.call((docker, options) =>
        docker.createNetwork({
          Name: this.name,
          CheckDuplicate: true,
          Driver: 'bridge',
          Scope: 'swarm',
          Labels: { [LABEL.installation]: this.#installation },
          ...options,
        } as never)
      )
    } catch (error) {
      // Another process of Mosaic created it first.
      if (!isNameConflict(error)) throw error
    }
    const made = await this.#find()
    if (!made) throw new RuntimeError('internal', 'The network of the agents disappeared.')
    return made
  }
}

interface GuardServiceInput {
  rules: string
  jumps: string
  bridge: string
  script: FileReference
  shape: string
  image: string
}

/** A guard is started again for ever; what ended it stays to be told. */
function faultOf({ Status }: Task): string | null {
  if (Status.State !== 'rejected' && Status.State !== 'failed') return null
  return Status.Err ?? 'it ended'
}
