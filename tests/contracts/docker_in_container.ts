/**
 * Plays a Mosaic that runs in a container. Runs in that container's network, because agents whose networks
 * only Mosaic joins cannot be reached from elsewhere. Prints its observations as JSON.
 *
 * Usage: node docker_in_container.ts <container> <installation> <open | sealed> <look | live> [host:port …]
 */
import 'reflect-metadata'
import { testEngine } from '#tests/engine/engine'
import { DockerTrial } from '#tests/contracts/docker_trial'
import { until } from '#tests/contracts/until'
import type { Instance, RuntimeFinding } from '#runtimes/contract'

export interface SeenFromContainer {
  findings: RuntimeFinding[]
  callback: { host: string; listen: string | null }
  /** Networks of agents while two of them ran, and after both were removed. */
  networks: [during: string[], after: string[]]
  /** Status of a request to an agent's gateway. */
  gateway: number
  /** Outcomes of connecting from one agent to another, to Mosaic, and to the machine. */
  reached: { peer: string; mosaic: string; machine: string }
  /** The same for the places given. */
  outside: string[]
  /** Whether another Mosaic reached the same agent after the first was disconnected from it. */
  rejoined: boolean
  /**
   * `isIn`: whether another Mosaic, in another container, had joined the network of this one's agent by the time it
   * returned the agent's address. `hasLeft`: whether it had left when this one purged the agent, so the network went.
   */
  replica: { isIn: boolean; hasLeft: boolean }
}

const [container, installation, egress, mode, ...places] = process.argv.slice(2)
const engine = testEngine()!

const trial = await DockerTrial.prepare(engine, {
  container,
  settings: async () => ({
    host: engine.host,
    pullPolicy: 'never',
    egress: egress as 'open' | 'sealed',
    range: '10.213.0.0/20',
  }),
})
const driver = await trial.open(installation)
const findings = await driver.preflight()
const callback = await driver.callback()
const seen = mode === 'look' ? { findings, callback } : await live()
console.log(JSON.stringify(seen))
await trial.close()

async function live(): Promise<SeenFromContainer> {
  const networks = async () =>
    (
      await engine.docker.listNetworks({
        filters: { label: [`mosaic.installation=${installation}`] },
      })
    )
      .map(({ Name }) => Name)
      .toSorted()
  const replica = await replicaInContainer()
  const change = { installation, apiUrl: trial.apiUrlOf(installation) }
  const [one, other] = await Promise.all([
    trial.start(trial.spec({}, change), driver),
    trial.start(trial.spec({}, change), driver),
  ])
  const during = await networks()
  const { hostname, port } = new URL(other.endpoint)
  const reached = {
    peer: await trial.within.connect(one, hostname, Number(port)),
    mosaic: await trial.within.connect(one, callback.host, trial.config.internalPort),
    machine: await trial.within.connect(one, hostname.replace(/\d+$/, '1'), 9),
  }
  const outside = await Promise.all(
    places.map((place) => {
      const [host, at] = place.split(':')
      return trial.within.connect(one, host, Number(at))
    })
  )
  const { status } = await fetch(`${one.endpoint}/healthz`)

  await engine.docker.getNetwork(`${one.name}-${egress}`).disconnect({ Container: container })
  await (await trial.open(installation)).inspect(one)
  const rejoined = await fetch(`${one.endpoint}/healthz`, {
    signal: AbortSignal.timeout(5000),
  }).then(
    ({ ok }) => ok,
    () => false
  )
  const isIn = await replica.reaches(other)
  await driver.remove(one)
  await driver.purge(other)
  const hasLeft = await until(async () => (await networks()).length === 0)
  await replica.close()
  return {
    findings,
    callback,
    networks: [during, await networks()],
    gateway: status,
    reached,
    outside,
    rejoined,
    replica: { isIn, hasLeft },
  }
}

/** Another Mosaic with this installation, which has opened the engine before there is any agent. */
async function replicaInContainer() {
  const { docker } = engine
  const made = await docker.createContainer({
    Image: engine.gatewayImage,
    Entrypoint: ['sleep', '600'],
  })
  await made.start()
  const beside = await trial.open(installation, { container: made.id })
  const watching = new AbortController()
  beside.events(watching.signal)
  await Array.fromAsync(beside.list())
  return {
    async reaches(instance: Instance): Promise<boolean> {
      await beside.inspect(instance)
      const { Containers } = await docker.getNetwork(`${instance.name}-${egress}`).inspect()
      return made.id in Containers!
    },
    async close(): Promise<void> {
      watching.abort()
      await made.remove({ force: true })
    },
  }
}
