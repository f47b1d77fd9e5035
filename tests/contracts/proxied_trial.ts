import { DockerTrial } from '#tests/contracts/docker_trial'
import type { Engine } from '#tests/engine/engine'
import { SocketProxy, type Report } from '#socket_proxy/socket_proxy'
import type { DockerDriver } from '#runtimes/drivers/docker/driver'

/** Runs the docker driver through a socket proxy, one for each installation. */
export class ProxiedTrial {
  readonly refused: Parameters<Report>[0][] = []
  readonly #proxies = new Map<string, { proxy: SocketProxy; address: string }>()

  private constructor(readonly trial: DockerTrial) {}

  static async prepare(engine: Engine): Promise<ProxiedTrial> {
    return new ProxiedTrial(await DockerTrial.prepare(engine))
  }

  async open(installation: string): Promise<DockerDriver> {
    const host = await this.#proxyOf(installation)
    const settings = async () => ({ host, pullPolicy: 'never' as const })
    return this.trial.open(installation, { settings })
  }

  async close(): Promise<void> {
    await this.trial.close()
    for (const { proxy } of this.#proxies.values()) await proxy.stop()
  }

  async #proxyOf(installation: string): Promise<string> {
    const known = this.#proxies.get(installation)
    if (known) return known.address

    const { engine } = this.trial
    const report: Report = (line) => void this.refused.push(line)
    const proxy = new SocketProxy(
      {
        host: '127.0.0.1',
        port: 0,
        engine: engine.host.replace(/^unix:\/\//, ''),
        images: ['mosaic-test/gateway', 'mosaic-test/openclaw'],
        installation,
        memory: null,
        range: '10.213.0.0/16',
        secretsFolder: null,
        swarm: null,
        ceilings: { memoryMb: 8192, cpus: 8, processes: 4096 },
      },
      report
    )
    const address = await proxy.start()
    this.#proxies.set(installation, { proxy, address })
    return address
  }
}
