import { certificatesOf, Engine } from '#runtimes/engine/engine'
import { Images } from '#runtimes/engine/images'
import type { EventFeed } from '#runtimes/event_feed'
import { AgentData } from '#runtimes/drivers/swarm/agent_data'
import { AgentNetwork } from '#runtimes/drivers/swarm/agent_network'
import { Cluster } from '#runtimes/drivers/swarm/cluster'
import { Capacity } from '#runtimes/drivers/swarm/capacity'
import { DrainedNodes } from '#runtimes/drivers/swarm/drained_nodes'
import { Ground } from '#runtimes/drivers/swarm/ground'
import { HandedFiles } from '#runtimes/drivers/swarm/handed_files'
import { Homes } from '#runtimes/drivers/swarm/homes'
import { PinnedImages } from '#runtimes/drivers/swarm/images'
import { Isolation } from '#runtimes/drivers/swarm/isolation'
import { Leftovers } from '#runtimes/drivers/swarm/leftovers'
import { AgentPlacement } from '#runtimes/drivers/swarm/placement'
import { Provisioner } from '#runtimes/drivers/swarm/provisioner'
import { Services } from '#runtimes/drivers/swarm/services'
import { StateMounts } from '#runtimes/drivers/swarm/state_mounts'
import { Steward } from '#runtimes/drivers/swarm/steward'
import { Stopper } from '#runtimes/drivers/swarm/stopper'
import { Watcher } from '#runtimes/drivers/swarm/watcher'
import type { SwarmDriverConfig, SwarmSettings } from '#runtimes/drivers/swarm/options'

const DEFAULT_SOCKET = 'unix:///var/run/docker.sock'

/** Long enough for a one-gigabyte image over a slow line. */
const PULL_BUDGET_MS = 15 * 60_000

/** The driver's parts on one manager, under one version of the settings. */
export type SwarmSession = ReturnType<typeof openSwarmSession>
export type SwarmParts = ReturnType<typeof partsOf>

export function openSwarmSession(...given: Parameters<typeof partsOf>) {
  const parts = partsOf(...given)
  return { ...parts, provisioner: new Provisioner(parts) }
}

function partsOf(
  config: SwarmDriverConfig,
  settings: SwarmSettings,
  installation: string,
  feed: EventFeed
) {
  const environment = config.environment ?? process.env
  const host = settings.host ?? environment.DOCKER_HOST ?? DEFAULT_SOCKET
  const engine = Engine.at(host, certificatesOf(config))
  const cluster = new Cluster(engine)
  const services = new Services(engine, installation)
  const files = new HandedFiles(engine, installation, config.scripts)
  const homes = new Homes(engine, installation)
  const mounts = new StateMounts(installation, settings)
  const forbidden = config.forbidden ?? []
  const isolation = new Isolation(installation, { cluster, services, forbidden })
  const network = new AgentNetwork(engine, installation, { cluster, services, files })
  const leftovers = new Leftovers(services, files)
  const ground = new Ground({ cluster, network, isolation, leftovers }, settings, config)
  const drained = new DrainedNodes(installation, cluster)
  const steward = new Steward(installation, { cluster, services, files, mounts })
  const pulls = new Images(engine, installation, PULL_BUDGET_MS)
  return {
    settings,
    engine,
    /** The image of specs that name none, and of the driver's own services. */
    image: settings.image ?? config.image,
    pulls,
    images: new PinnedImages(engine, pulls),
    cluster,
    services,
    files,
    homes,
    mounts,
    network,
    isolation,
    ground,
    placement: new AgentPlacement({ cluster, drained, ground, settings }),
    capacity: new Capacity({ cluster, services, network, isolation, drained, homes }),
    data: new AgentData({ homes, steward, ground, drained, mounts, settings }),
    stopper: new Stopper(services, cluster, mounts.isShared),
    watcher: new Watcher(services, cluster, feed),
  }
}
