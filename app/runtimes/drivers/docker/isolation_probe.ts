import { lookup } from 'node:dns/promises'
import { randomUUID } from 'node:crypto'
import { createServer, type AddressInfo, type Server } from 'node:net'
import { setTimeout as after } from 'node:timers/promises'
import { readText } from '#bounded/body'
import { RuntimeError } from '#runtimes/errors'
import type { RuntimeFinding } from '#runtimes/contract'
import { systemClock, type Clock } from '#timing/clock'
import type { Engine } from '#runtimes/engine/engine'
import { hardened } from '#runtimes/drivers/docker/container_options'
import {
  endedFinding,
  forbiddenFinding,
  guardFinding,
  listenerFinding,
  NAMES,
  PEERS,
  UNREACHABLE,
} from '#runtimes/drivers/docker/isolation_findings'
import { IsolationProofs, type Proof } from '#runtimes/drivers/docker/isolation_proofs'
import { LABEL } from '#runtimes/engine/labels'
import { AGENT_UID, GATEWAY_PORT, NAME_PROBE, PUBLIC_NAME } from '#runtimes/engine/agent_container'
import { CLOSED_PORT } from '#runtimes/engine/private_places'
import { isPrivate } from '#runtimes/private_networks'
import type { ForbiddenPlace } from '#runtimes/drivers/docker/options'
import type { Topology } from '#runtimes/drivers/docker/topology'

/**
 * Blocked routes drop packets silently, so only a timeout shows them. Open ones answer within a
 * millisecond.
 */
const CONNECT_MS = 700
const PROBE_READY_MS = 20_000
const LOOK_MS = 25
/** The probe container's state is checked less often than its answer. */
const LOOKS_BETWEEN = 10

const LIMITS = { memoryMb: 128, cpus: 1, processes: 64 }

/** Far longer than a proof may take, as a slow engine may, and the clocks of two machines may differ. */
const LEFT_SEC = 10 * 60

/** When proofs succeeded in this process, by engine and network. */
const proven = new Map<string, number>()

/** A server that connects to `/host/port`, or looks up `/name/names`, on request and reports the outcome. */
const PROBE = `${NAME_PROBE}
require('node:http').createServer((request, response) => {
  const [, host, port] = request.url.split('/')
  if (!host) return response.end('ready')
  if (port === 'names') return names(host, (text) => response.end(text))
  const socket = require('node:net').connect({ host, port: Number(port), timeout: ${CONNECT_MS} })
  const tell = (text) => { socket.destroy(); response.end(text) }
  socket.once('connect', () => tell('connected')).once('timeout', () => tell('timeout'))
  socket.once('error', (error) => tell(error.code))
}).listen(${GATEWAY_PORT})`

interface Probe {
  id: string
  name: string
  address: string
  gateway: string
}

/**
 * Proves with two probe containers that agents reach Mosaic, but neither each other nor the machine.
 * Network flags depend on the kernel's configuration, so they are not trusted.
 */
export class IsolationProbe {
  readonly #engine: Engine
  readonly #installation: string
  readonly #topology: Topology
  readonly #port: number
  readonly #forbidden: ForbiddenPlace[]
  readonly #clock: Clock
  readonly #proofs: IsolationProofs

  constructor(
    engine: Engine,
    installation: string,
    topology: Topology,
    port: number,
    forbidden: ForbiddenPlace[],
    clock: Clock = systemClock
  ) {
    this.#engine = engine
    this.#installation = installation
    this.#topology = topology
    this.#port = port
    this.#forbidden = forbidden
    this.#clock = clock
    this.#proofs = new IsolationProofs({
      clock,
      prove: (image, maxAgeMs) => this.#prove(image, maxAgeMs),
      isGuarded: () => topology.guardFailure === null,
    })
  }

  /** @throws RuntimeError if agents would not be isolated; then none may start */
  async require(image: string): Promise<void> {
    const [finding] = await this.examine(image)
    if (!finding) return
    throw new RuntimeError('internal', finding.message, { help: finding.hint })
  }

  /** Makes the next start repeat the proof, because the network may have changed. */
  forget(): void {
    this.#proofs.forget()
  }

  /** Returns the violations, as they were found some minutes ago at most. */
  examine(image: string): Promise<RuntimeFinding[]> {
    return this.#proofs.examine(image)
  }

  async #prove(image: string, maxAgeMs: number): Promise<Proof> {
    await this.#topology.prepare()
    const key = await this.#key()
    const at = proven.get(key) ?? -Infinity
    if (this.#clock.elapsed() - at < maxAgeMs) return { findings: [], at }
    proven.delete(key)
    const findings = await this.#try(image)
    const proof = { findings, at: this.#clock.elapsed() }
    if (findings.length === 0) proven.set(key, proof.at)
    return proof
  }

  async #try(image: string): Promise<RuntimeFinding[]> {
    await this.#tidy()
    const canary = await openCanary()
    const names = ['a', 'b'].map((side) => `mosaic-probe-${randomUUID().slice(0, 8)}-${side}`)
    try {
      const [peer, probe] = await Promise.all(names.map((name) => this.#start(name, image)))
      const hurdles = await Promise.all([peer, probe].map((one) => this.#hurdle(one)))
      const hurdle = hurdles.find((one) => one !== null)
      return hurdle
        ? [hurdle]
        : await this.#tryOut(peer, probe, (canary.address() as AddressInfo).port)
    } finally {
      canary.close()
      await Promise.all(names.map((name) => this.#end(name)))
    }
  }

  /** Waits until a probe answers. Returns what prevents it, or null. */
  async #hurdle(probe: Probe): Promise<RuntimeFinding | null> {
    const deadline = performance.now() + PROBE_READY_MS
    let looks = 0
    while (performance.now() < deadline) {
      const answer = await get(probe, '/', 1000).catch(() => null)
      if (answer === 'ready') return null
      if (++looks % LOOKS_BETWEEN === 0) {
        const found = await this.#engine.find((docker, options) =>
          docker.getContainer(probe.id).inspect(options)
        )
        if (!found?.State.Running) return endedFinding(found?.State.ExitCode ?? null)
      }
      await after(LOOK_MS)
    }
    return UNREACHABLE
  }

  async #tryOut(peer: Probe, probe: Probe, canaryPort: number): Promise<RuntimeFinding[]> {
    const callback = await this.#topology.callback()
    const isSealed = this.#topology.egress === 'sealed'
    const [peers, mosaic, machine, forbidden, name] = await Promise.all([
      ask(probe, peer.address, GATEWAY_PORT),
      ask(probe, callback.host, this.#port),
      this.#reachedOfMachine(probe, canaryPort),
      this.#reachedForbidden(probe),
      isSealed ? ask(probe, PUBLIC_NAME, 'names') : null,
    ])
    const findings: RuntimeFinding[] = []
    if (peers === 'connected') findings.push(PEERS)
    if (name === 'found') findings.push(NAMES)
    if (machine) findings.push(guardFinding(machine, await this.#topology.guardHelp()))
    for (const place of forbidden) findings.push(await this.#forbiddenFinding(place))
    if (mosaic !== 'connected' && mosaic !== 'ECONNREFUSED') {
      findings.push(listenerFinding(`${callback.host}:${this.#port}`, mosaic))
    }
    return findings
  }

  async #reachedOfMachine(probe: Probe, canaryPort: number): Promise<string | null> {
    const addresses = await this.#topology.hostAddresses()
    for (const result of await Promise.all(
      addresses.map(async (address) => ({
        address,
        outcome: await ask(probe, address, canaryPort),
      }))
    )) {
      if (result.outcome === 'connected') return result.address
    }
    if (addresses.length > 0 || !probe.gateway) return null
    // Mosaic in a container cannot listen on the machine.
    const outcome = await ask(probe, probe.gateway, CLOSED_PORT)
    return isReached(outcome) ? probe.gateway : null
  }

  async #reachedForbidden(probe: Probe): Promise<ForbiddenPlace[]> {
    const looks = this.#forbidden.map(async (place) => {
      const found = await lookup(place.host, { family: 4 }).catch(() => null)
      // A container has its own loopback.
      if (!found || found.address.startsWith('127.')) return null
      const isOpen = isReached(await ask(probe, found.address, place.port))
      return isOpen ? { ...place, host: found.address } : null
    })
    return (await Promise.all(looks)).filter((place) => place !== null)
  }

  /** Private networks are closed by the guard, other places by the operator. */
  async #forbiddenFinding({ name, host, port }: ForbiddenPlace): Promise<RuntimeFinding> {
    const help = isPrivate(host) ? await this.#topology.guardHelp() : null
    return forbiddenFinding(name, `${host}:${port}`, help)
  }

  async #start(name: string, image: string): Promise<Probe> {
    const network = await this.#topology.networkOf(name)
    const container = await this.#engine.call((docker, options) =>
      docker.createContainer({
        name,
        Image: image,
        User: `${AGENT_UID}:${AGENT_UID}`,
        Entrypoint: ['node', '-e', PROBE],
        Cmd: [],
        Labels: { [LABEL.installation]: this.#installation, [LABEL.purpose]: 'probe' },
        HostConfig: hardened(LIMITS, { network: network.name, egress: this.#topology.egress }),
        ...options,
      })
    )
    await this.#engine.call((_, options) => container.start(options))
    const { NetworkSettings } = await this.#engine.call((_, options) => container.inspect(options))
    const [{ IPAddress = '', Gateway = '' } = {}] = Object.values(NetworkSettings.Networks)
    return { id: container.id, name, address: IPAddress, gateway: Gateway }
  }

  async #end(name: string): Promise<void> {
    await this.#engine.settle((docker, options) =>
      docker.getContainer(name).remove({ force: true, ...options })
    )
    await this.#topology.release(name)
  }

  /** Removes what a Mosaic killed during a proof left behind. */
  async #tidy(): Promise<void> {
    const filters = {
      label: [`${LABEL.installation}=${this.#installation}`, `${LABEL.purpose}=probe`],
    }
    const listed = await this.#engine.call((docker, options) =>
      docker.listContainers({ all: true, filters, ...options })
    )
    const before = Date.now() / 1000 - LEFT_SEC
    const left = listed.filter(({ Created }) => Created < before)
    await Promise.all(left.map(({ Names }) => this.#end(Names[0].replace(/^\//, ''))))
  }

  async #key(): Promise<string> {
    const { ID } = await this.#engine.call((docker) => docker.info())
    const { kind } = this.#topology
    const network = kind === 'shared bridge' ? (await this.#topology.networkOf('')).id : ''
    const guarded = this.#topology.guardFailure === null
    const wanted = [this.#topology.networkName('').replace(/^-/, ''), this.#port, this.#forbidden]
    return JSON.stringify([ID, kind, network, guarded, wanted])
  }
}

/** A refusal proves that the way is open as well. */
function isReached(outcome: string): boolean {
  return outcome === 'connected' || outcome === 'ECONNREFUSED'
}

/** Listens on every address of the machine, like the services that agents must not reach. */
async function openCanary(): Promise<Server> {
  const canary = createServer((socket) => socket.destroy())
  await new Promise<void>((resolve, reject) => {
    canary.once('error', reject).listen(0, '0.0.0.0', resolve)
  })
  return canary.unref()
}

/** Returns the outcome: `connected`, `timeout`, or an error code such as `ECONNREFUSED`. */
async function ask(probe: Probe, host: string, port: number | 'names'): Promise<string> {
  return get(probe, `/${host}/${port}`, CONNECT_MS + 10_000).catch(() => 'no answer')
}

async function get({ address }: Probe, path: string, withinMs: number): Promise<string> {
  const signal = AbortSignal.timeout(withinMs)
  const response = await fetch(`http://${address}:${GATEWAY_PORT}${path}`, { signal })
  return readText(response.body, { what: 'The answer of the probe', maxBytes: 64 * 1024, signal })
}
