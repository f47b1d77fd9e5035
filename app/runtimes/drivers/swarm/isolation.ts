import { createServer, type AddressInfo } from 'node:net'
import { once } from 'node:events'
import { lookup } from 'node:dns/promises'
import { randomUUID } from 'node:crypto'
import { readText } from '#bounded/body'
import { systemClock, type Clock } from '#timing/clock'
import type { RuntimeFinding } from '#runtimes/contract'
import type { ForbiddenPlace } from '#runtimes/drivers/docker/options'
import { GATEWAY_PORT, NAME_PROBE, PUBLIC_NAME } from '#runtimes/engine/agent_container'
import { LABEL } from '#runtimes/engine/labels'
import { shortHash } from '#runtimes/engine/short_hash'
import { ENDPOINT, hardened, hardenedContainer } from '#runtimes/drivers/swarm/agent_service'
import type { GuardedNetwork } from '#runtimes/drivers/swarm/agent_network'
import type { Cluster, ClusterNode } from '#runtimes/drivers/swarm/cluster'
import { hasEnded, latestOf, type Task } from '#runtimes/drivers/swarm/objects'
import { FailedProofs } from '#runtimes/drivers/swarm/failed_proofs'
import {
  forbiddenFinding,
  guardFinding,
  listenerFinding,
  namesFinding,
  peersFinding,
  probeFinding,
} from '#runtimes/drivers/swarm/findings'
import { until } from '#runtimes/drivers/swarm/polling'
import type { Services } from '#runtimes/drivers/swarm/services'

/** Blocked routes drop packets silently, so only a timeout shows them. */
const CONNECT_MS = 700
const READY_MS = 40_000

/** Ports that every node of a swarm listens on: of the gossip, and of managers. */
const GOSSIP_PORT = 7946
const MANAGER_PORT = 2377

const LIMITS = { memoryMb: 128, cpus: 1, processes: 64 }

/** Tells its address, and connects to `/host/port` or looks up `/name/names` on request. */
const PROBE = `${NAME_PROBE}
require('node:http').createServer((request, response) => {
  const [, host, port] = request.url.split('/')
  if (!host) return response.end(require('node:os').networkInterfaces().eth0[0].address)
  if (port === 'names') return names(host, (text) => response.end(text))
  const socket = require('node:net').connect({ host, port: Number(port), timeout: ${CONNECT_MS} })
  const tell = (text) => { socket.destroy(); response.end(text) }
  socket.once('connect', () => tell('connected')).once('timeout', () => tell('timeout'))
  socket.once('error', (error) => tell(error.code))
}).listen(${GATEWAY_PORT})`

interface Probe {
  node: ClusterNode
  /** Where Mosaic reaches it. */
  endpoint: string
  port: number
  /** On the bridge of its node. */
  address: string
}

interface Surroundings {
  mosaic: { address: string; port: number }
  canaryPort: number
  egress: 'open' | 'sealed'
}

export interface Proof {
  findings: RuntimeFinding[]
  /** Nodes where agents are isolated. */
  proven: ClusterNode[]
}

/**
 * Proves on each node with two probes that agents reach Mosaic, but neither each other, by address or by port, nor
 * any node. A node with proof gets labels, and agents start only where these are.
 */
export class Isolation {
  readonly #installation: string
  readonly #cluster: Cluster
  readonly #services: Services
  readonly #forbidden: ForbiddenPlace[]
  readonly #failures: FailedProofs

  constructor(
    installation: string,
    parts: { cluster: Cluster; services: Services; forbidden: ForbiddenPlace[]; clock?: Clock }
  ) {
    this.#installation = installation
    this.#cluster = parts.cluster
    this.#services = parts.services
    this.#forbidden = parts.forbidden
    this.#failures = new FailedProofs(parts.clock ?? systemClock)
  }

  /** The constraint of everything that needs an isolated node. */
  get constraint(): string {
    return `node.labels.${this.#label('guarded')}==yes`
  }

  /** Whether agents have started there, or could have. */
  isProven({ labels }: ClusterNode): boolean {
    return labels[this.#label('guarded')] === 'yes'
  }

  /** Proves the isolation of guarded nodes that have no proof for these rules yet. */
  async prove(
    network: GuardedNetwork,
    mosaic: { address: string; port: number },
    image: string
  ): Promise<Proof> {
    const wanted = shortHash(
      JSON.stringify([network.id, network.rules, network.egress, this.#forbidden])
    )
    const isProven = ({ labels }: ClusterNode) => labels[this.#label('proof')] === wanted
    const proven = network.guarded.filter(isProven)
    const failed = network.guarded.filter((node) => !isProven(node))
    const open = failed.filter(({ id }) => this.#failures.isDue(id, wanted))
    const findings = failed
      .filter((node) => !open.includes(node))
      .flatMap(({ id }) => this.#failures.findingsOf(id))
    if (open.length === 0) return { findings, proven }

    const run = randomUUID().slice(0, 8)
    const names = ['a', 'b'].map((side) => `mosaic-probe-${run}-${side}`)
    const canary = createServer((socket) => socket.destroy()).listen(0, '0.0.0.0')
    // The rest has its proof, or waits for its next try.
    const constraints = [
      `node.labels.${this.#label('proof')}!=${wanted}`,
      ...failed.filter((node) => !open.includes(node)).map(({ id }) => `node.id!=${id}`),
    ]
    try {
      await once(canary, 'listening')
      for (const name of names) await this.#start(name, { network, constraints }, image)
      const [ones, others] = await Promise.all(names.map((name) => this.#ready(name, open)))
      const found = new Map<ClusterNode, RuntimeFinding[]>()
      for (const node of open) {
        const [one, peer] = [ones, others].map((all) =>
          all.find((probe) => probe.node.id === node.id)
        )
        const { port: canaryPort } = canary.address() as AddressInfo
        const around = { mosaic, canaryPort, egress: network.egress }
        const tried = one && peer ? await this.#tryOut(one, peer, others, around) : null
        found.set(node, tried ?? [probeFinding(node.name)])
      }
      // Once a node has its label, its probes end.
      for (const [node, of] of found) {
        this.#failures.note(node.id, wanted, of)
        findings.push(...of)
        if (of.length > 0) continue
        await this.#cluster.label(node.id, {
          [this.#label('guarded')]: 'yes',
          [this.#label('proof')]: wanted,
        })
        proven.push(node)
      }
      return { findings, proven }
    } finally {
      canary.close()
      await Promise.all(names.map((name) => this.#services.remove(name)))
    }
  }

  async #tryOut(
    probe: Probe,
    peer: Probe,
    others: Probe[],
    { mosaic, canaryPort, egress }: Surroundings
  ): Promise<RuntimeFinding[]> {
    const nodes = await this.#cluster.nodes()
    const places = nodes.flatMap(({ name, address, isManager }) => [
      { name, host: address, port: GOSSIP_PORT },
      ...(isManager ? [{ name, host: address, port: MANAGER_PORT }] : []),
    ])
    places.push({ name: 'Mosaic', host: mosaic.address, port: canaryPort })
    const peers = [
      { host: peer.address, port: GATEWAY_PORT },
      ...others.map(({ node, port }) => ({ host: node.address, port })),
    ]
    const [reachedPeers, reachedPlaces, forbidden, outcome, found] = await Promise.all([
      reached(probe, peers),
      reached(probe, places),
      this.#reachedForbidden(probe),
      ask(probe, mosaic.address, mosaic.port),
      egress === 'sealed' ? ask(probe, PUBLIC_NAME, 'names') : null,
    ])
    const { name } = probe.node
    const findings: RuntimeFinding[] = []
    if (reachedPeers.length > 0) findings.push(peersFinding(name))
    const [place] = reachedPlaces
    if (place) findings.push(guardFinding(name, `${place.host}:${place.port}`))
    if (found === 'found') findings.push(namesFinding(name))
    for (const one of forbidden) findings.push(forbiddenFinding(name, one))
    if (outcome !== 'connected' && outcome !== 'ECONNREFUSED') {
      findings.push(listenerFinding(name, `${mosaic.address}:${mosaic.port}`, outcome))
    }
    return findings
  }

  async #reachedForbidden(probe: Probe): Promise<ForbiddenPlace[]> {
    const found = await Promise.all(
      this.#forbidden.map(async (place) => {
        const answer = await lookup(place.host, { family: 4 }).catch(() => null)
        // A container has its own loopback.
        if (!answer || answer.address.startsWith('127.')) return null
        return { ...place, host: answer.address }
      })
    )
    return reached(
      probe,
      found.filter((place) => place !== null)
    )
  }

  async #start(
    name: string,
    { network, constraints }: { network: GuardedNetwork; constraints: string[] },
    image: string
  ): Promise<void> {
    const labels = {
      [LABEL.installation]: this.#installation,
      [LABEL.name]: name,
      [LABEL.purpose]: 'probe',
    }
    await this.#services.create({
      Name: name,
      Labels: labels,
      Mode: { Global: {} },
      TaskTemplate: {
        ...hardened({ network: network.id, constraints }, LIMITS),
        ContainerSpec: {
          ...hardenedContainer(image, LIMITS.memoryMb, network.egress),
          StopGracePeriod: 1e6,
          Labels: labels,
          Command: ['node', '-e', PROBE],
        },
      },
      EndpointSpec: ENDPOINT,
    })
  }

  /** Waits until the probes of these nodes answer, and returns those that do. */
  async #ready(name: string, nodes: ClusterNode[]): Promise<Probe[]> {
    const ready = new Map<string, Probe>()
    const ended = new Set<string>()
    await until(async () => {
      const tasks = await this.#services.tasks(name)
      for (const node of nodes) {
        if (ready.has(node.id) || ended.has(node.id)) continue
        const task = latestOf(tasks.filter(({ NodeID }) => NodeID === node.id))
        if (task && hasEnded(task)) ended.add(node.id)
        const probe = task && (await probeOf(task, node))
        if (probe) ready.set(node.id, probe)
      }
      return ready.size + ended.size >= nodes.length
    }, READY_MS)
    return [...ready.values()]
  }

  #label(what: 'guarded' | 'proof'): string {
    return `mosaic.${shortHash(this.#installation)}.${what}`
  }
}

async function probeOf({ Status }: Task, node: ClusterNode): Promise<Probe | null> {
  const port = Status.PortStatus?.Ports?.[0]?.PublishedPort
  if (Status.State !== 'running' || !port) return null
  const endpoint = `http://${node.address}:${port}`
  const address = await get(endpoint, '/', 1000).catch(() => null)
  return address ? { node, endpoint, port, address } : null
}

/** A refusal proves that the way is open as well. */
async function reached<Place extends { host: string; port: number }>(
  probe: Probe,
  places: Place[]
): Promise<Place[]> {
  const outcomes = await Promise.all(places.map(({ host, port }) => ask(probe, host, port)))
  return places.filter((_, at) => outcomes[at] === 'connected' || outcomes[at] === 'ECONNREFUSED')
}

async function ask({ endpoint }: Probe, host: string, port: number | 'names'): Promise<string> {
  return get(endpoint, `/${host}/${port}`, CONNECT_MS + 10_000).catch(() => 'no answer')
}

async function get(endpoint: string, path: string, withinMs: number): Promise<string> {
  const signal = AbortSignal.timeout(withinMs)
  const response = await fetch(`${endpoint}${path}`, { signal })
  return readText(response.body, { what: 'The answer of the probe', maxBytes: 64 * 1024, signal })
}
