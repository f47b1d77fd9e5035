/**
 * Plays a Mosaic that runs in a container. Runs in that container's network, because agents whose networks
 * only Mosaic joins cannot be reached from elsewhere. Prints its observations as JSON.
 *
 * Usage: node docker_in_container.ts <container> <installation> <open | sealed> <look | live> [host:port …]
 */
import 'reflect-metadata'
import { testEngine } from '#tests/engine/engine'
import { DockerTrial } from '#tests/contracts/docker_trial'
import type { RuntimeFinding } from '#runtimes/contract'

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
  await driver.remove(one)
  await driver.purge(other)
  return {
    findings,
    callback,
    networks: [during, await networks()],
    gateway: status,
    reached,
    outside,
    rejoined,
  }
}
