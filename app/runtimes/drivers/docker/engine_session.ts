import { Provisioner } from '#runtimes/drivers/docker/provisioner'
import { certificatesOf, Engine } from '#runtimes/engine/engine'
import { Images } from '#runtimes/engine/images'
import { Volumes } from '#runtimes/drivers/docker/volumes'
import { ReplacedData } from '#runtimes/drivers/docker/replaced_data'
import { Watcher } from '#runtimes/drivers/docker/watcher'
import { IsolationProbe } from '#runtimes/drivers/docker/isolation_probe'
import { ContainerMemory } from '#runtimes/drivers/docker/container_memory'
import { Containers } from '#runtimes/drivers/docker/containers'
import { NetworkPerAgent } from '#runtimes/drivers/docker/network_per_agent'
import { SharedBridge } from '#runtimes/drivers/docker/shared_bridge'
import { selfContainer } from '#runtimes/drivers/docker/self_container'
import {
  FolderDelivery,
  TriedDelivery,
  VolumeDelivery,
  type SecretDelivery,
} from '#runtimes/drivers/docker/secret_delivery'
import { NetworkMembership } from '#runtimes/drivers/docker/network_membership'
import type { RuntimeEvent } from '#runtimes/contract'
import type { EventFeed } from '#runtimes/event_feed'
import type { KeyedQueue } from '#runtimes/keyed_queue'
import type { Topology } from '#runtimes/drivers/docker/topology'
import type { DockerDriverConfig, DockerSettings } from '#runtimes/drivers/docker/options'

const DEFAULT_SOCKET = 'unix:///var/run/docker.sock'

/** Long enough for a one-gigabyte image over a slow line. */
const PULL_BUDGET_MS = 15 * 60_000

/** The driver's services on one engine, under one version of the settings. */
export interface EngineSession {
  settings: DockerSettings
  engine: Engine
  images: Images
  /** The image of specs that name none. */
  image: string
  volumes: Volumes
  /** Agents' data that imports replaced. */
  replaced: ReplacedData
  watcher: Watcher
  topology: Topology
  isolation: IsolationProbe
  containers: Containers
  memory: ContainerMemory
  handover: SecretDelivery
  maker: Provisioner
}

export async function openEngineSession(
  config: DockerDriverConfig,
  settings: DockerSettings,
  installation: string,
  { feed, queue }: { feed: EventFeed; queue: KeyedQueue }
): Promise<EngineSession> {
  const environment = config.environment ?? process.env
  const host = settings.host ?? environment.DOCKER_HOST ?? DEFAULT_SOCKET
  const engine = Engine.at(host, certificatesOf(config))

  const volumes = new Volumes(engine, installation)
  const topology = await chooseTopology(engine, config, settings, installation)
  const containers = new Containers(engine, installation, topology)
  const membership = new NetworkMembership(containers, topology, queue)
  const emit = (event: RuntimeEvent) => {
    feed.emit(event)
    membership.follow(event)
  }
  const parts = {
    settings,
    engine,
    image: settings.image ?? config.image,
    containers,
    memory: new ContainerMemory(engine),
    volumes,
    replaced: new ReplacedData(volumes),
    topology,
    images: new Images(engine, installation, config.pullBudgetMs ?? PULL_BUDGET_MS),
    watcher: new Watcher(engine, installation, { emit }, () => topology.prepare()),
    isolation: new IsolationProbe(
      engine,
      installation,
      topology,
      config.internalPort,
      config.forbidden ?? [],
      config.clock
    ),
    handover: await chooseDelivery(engine, config, installation, containers, volumes),
  }
  return { ...parts, maker: new Provisioner(parts, config) }
}

async function chooseTopology(
  engine: Engine,
  { container, internalPort, firewall }: DockerDriverConfig,
  settings: DockerSettings,
  installation: string
): Promise<Topology> {
  const self = await selfContainer(engine, container)
  if (!self) {
    return new SharedBridge(engine, installation, settings, {
      port: internalPort,
      managesFirewall: firewall ?? true,
    })
  }

  const networks = new NetworkPerAgent(engine, installation, settings, self)
  await networks.joinAll()
  return networks
}

async function chooseDelivery(
  engine: Engine,
  { secretsFolder, entrypoint }: DockerDriverConfig,
  installation: string,
  containers: Containers,
  volumes: Volumes
): Promise<SecretDelivery> {
  const read = async (name: string, path: string) => {
    const found = await containers.findOurs(name)
    return found && containers.readFile(found.Id, path)
  }
  const volume = new VolumeDelivery(volumes, entrypoint, read)
  if (secretsFolder === null || !(engine.isLocal || secretsFolder)) return volume

  const base = await FolderDelivery.base(secretsFolder)
  if (!base) return volume
  const folder = new FolderDelivery(base, installation, entrypoint)
  return secretsFolder ? folder : new TriedDelivery(folder, volume, volumes.seesFolder)
}
