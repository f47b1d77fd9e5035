import { execFileSync } from 'node:child_process'
import { readdirSync, rmSync } from 'node:fs'
import type { ContainerCreateOptions } from 'dockerode'
import { Engine } from '#tests/engine/engine'
import { readProcess } from './cost.js'
import { documentVariables, type ByHand } from './by_hand.js'
import type { AgentHome } from './home.js'

const GATEWAY_PORT = 18789
const STOP_SEC = 20

/** An agent in a container of the tests' engine. */
export class ContainerHome implements AgentHome {
  readonly settings: Record<string, string>
  readonly #engine = new Engine(process.env.DOCKER_HOST!)
  /** How Mosaic made the agent's container. */
  #made: ContainerCreateOptions | null = null
  #copy: string | null = null
  /** In that copy. */
  #token = ''

  constructor(readonly name: string) {
    this.settings = { 'runtime.driver': 'docker', 'runtime.image': this.#engine.openclawImage }
  }

  async prepared(token: string): Promise<void> {
    this.#token = token
    const { Config, HostConfig } = await this.#engine.docker.getContainer(this.name).inspect()
    const Mounts = HostConfig.Mounts?.map((mount) =>
      mount.Type === 'bind' ? { ...mount, Source: this.#copied(mount.Source) } : mount
    )
    const variables = Object.entries(documentVariables(token)).map((pair) => pair.join('='))
    this.#made = {
      ...Config,
      name: this.#byHandName,
      /** Mosaic ignores a container without its labels. */
      Labels: {},
      Env: [...Config.Env, 'OPENCLAW_NO_AUTO_UPDATE=1', 'OPENCLAW_NO_RESPAWN=1', ...variables],
      Entrypoint: ['node', 'openclaw.mjs', 'gateway', 'run'],
      Cmd: ['--port', `${GATEWAY_PORT}`, '--bind', 'lan', '--auth', 'token'],
      HostConfig: { ...HostConfig, Mounts },
    }
  }

  /** Mosaic and the one by hand never run at the same time. */
  pids(): number[] {
    return readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .map(Number)
      .filter((pid) => /[0-9a-f]{64}/.test(readProcess(pid, 'cgroup')))
  }

  async startByHand(): Promise<ByHand> {
    const container = await this.#engine.docker.createContainer(this.#made!)
    await container.start()
    const { NetworkSettings } = await container.inspect()
    const [{ IPAddress }] = Object.values(NetworkSettings.Networks)
    return {
      url: `http://${IPAddress}:${GATEWAY_PORT}`,
      token: this.#token,
      pids: () => this.pids(),
      stop: async () => {
        await container.stop({ t: STOP_SEC }).catch(() => {})
        await container.remove({ force: true })
      },
    }
  }

  close(): void {
    if (this.#copy) rmSync(this.#copy, { recursive: true, force: true })
  }

  get #byHandName(): string {
    return `by-hand-${this.name}`
  }

  /** The files handed to an agent are removed with its container, so its double gets its own copy. */
  #copied(folder: string): string {
    this.#copy = `${folder}-by-hand`
    execFileSync('cp', ['-a', folder, this.#copy])
    return this.#copy
  }
}
