import type { Readable } from 'node:stream'
import { constants } from 'node:os'
import type Docker from 'dockerode'
import { readBytes } from '#bounded/body'
import type { Instance, Observed } from '#runtimes/contract'
import { explainExit, type InstanceExit } from '#runtimes/exit_reasons'
import { STOP_ASKED } from '#runtimes/drivers/docker/container_options'
import { firstFile } from '#runtimes/archive'
import { agentsOf, isOf, LABEL } from '#runtimes/drivers/docker/labels'
import { logLines } from '#runtimes/drivers/docker/log_lines'
import { statusOf, type Engine } from '#runtimes/drivers/docker/engine'
import { GATEWAY_PORT } from '#runtimes/drivers/docker/options'

/** Enough to see why a container ended. */
const LAST_LINES = 40

/** Beyond the grace: the engine's own share of a stop. */
const STOP_MARGIN_MS = 30_000

/** A file that Mosaic put there itself, in an archive. */
const SMALL_FILE = { what: 'A file of the container', maxBytes: 1024 * 1024, maxMs: 30_000 }

/** Looks at single containers that go on at once. */
const LOOKS_AT_ONCE = 16

export type Found = Docker.ContainerInspectInfo

/** The agents' containers of one installation on one engine. */
export class Containers {
  readonly #engine: Engine
  readonly #installation: string
  /** Stops that this process asked for, where the engine cannot be made to remember them. */
  readonly #asked = new Set<string>()

  constructor(engine: Engine, installation: string) {
    this.#engine = engine
    this.#installation = installation
  }

  /** Whatever container has this name, ours or not. */
  async find(name: string): Promise<Found | null> {
    return this.#engine.find((docker, options) => docker.getContainer(name).inspect(options))
  }

  /** The agent's container of this name, if it is ours. */
  async findOurs(name: string): Promise<Found | null> {
    const found = await this.find(name)
    return found && this.isOurs(found) ? found : null
  }

  isOurs({ Config }: Found): boolean {
    return isOf(this.#installation, Config.Labels) && LABEL.agent in Config.Labels
  }

  async *all(): AsyncIterable<Found> {
    const filters = agentsOf(this.#installation)
    const listed = await this.#engine.call((docker, options) =>
      docker.listContainers({ all: true, filters, ...options })
    )
    for (let at = 0; at < listed.length; at += LOOKS_AT_ONCE) {
      const looks = listed.slice(at, at + LOOKS_AT_ONCE).map(({ Id }) => this.find(Id))
      for (const found of await Promise.all(looks)) if (found) yield found
    }
  }

  async create(options: Docker.ContainerCreateOptions): Promise<string> {
    const { id } = await this.#engine.call((docker, signal) =>
      docker.createContainer({ ...options, ...signal })
    )
    return id
  }

  async start(id: string): Promise<void> {
    await this.#engine
      .call((docker, options) => docker.getContainer(id).start(options))
      .catch((error: unknown) => {
        if (statusOf(error) !== 304) throw error
      })
  }

  /** Asks to end, kills after the grace. Resolves when it does not run. */
  async stop(found: Found, graceMs: number): Promise<void> {
    const { Id: id, State } = found
    if (!State.Running) return
    this.#asked.add(id)
    await this.#noteAsked(id)
    if (State.Paused) await this.unpause(id)
    const t = Math.ceil(graceMs / 1000)
    await this.#engine.settle(
      (docker, options) => docker.getContainer(id).stop({ t, ...options }),
      graceMs + STOP_MARGIN_MS
    )
  }

  async remove(id: string): Promise<void> {
    this.#asked.delete(id)
    await this.#engine
      .settle((docker, options) => docker.getContainer(id).remove({ force: true, ...options }))
      .catch((error: unknown) => {
        // Somebody else removes it at this very moment.
        if (statusOf(error) !== 409) throw error
      })
  }

  async pause(id: string): Promise<void> {
    await this.#unlessSo((docker, options) => docker.getContainer(id).pause(options))
  }

  async unpause(id: string): Promise<void> {
    await this.#unlessSo((docker, options) => docker.getContainer(id).unpause(options))
  }

  async logs(id: string, tail: number): Promise<string[]> {
    const bytes = await this.#engine.find((docker, options) =>
      docker.getContainer(id).logs({ stdout: true, stderr: true, tail, ...options })
    )
    return bytes ? logLines(Buffer.from(bytes)).slice(-tail) : []
  }

  /** The text of a small file, or null where there is none. */
  async readFile(id: string, path: string): Promise<string | null> {
    const stream = await this.#engine.find((docker, options) =>
      docker.getContainer(id).getArchive({ path, ...options })
    )
    return stream && firstFile(await readBytes(stream as Readable, SMALL_FILE))
  }

  /** Where Mosaic reaches the gateway of a container that runs. */
  endpoint({ NetworkSettings }: Found): string | null {
    const address = Object.values(NetworkSettings.Networks)
      .map(({ IPAddress }) => IPAddress)
      .find((one) => one !== '')
    return address ? `http://${address}:${GATEWAY_PORT}` : null
  }

  /** What `ensure` gives back for a container that was started, or null if it has ended already. */
  toInstance(found: Found): Instance | null {
    const endpoint = this.endpoint(found)
    if (!endpoint) return null
    const { Id: id, Config } = found
    return { name: Config.Labels[LABEL.name], id, endpoint, state: stateOf(found) }
  }

  async observe(found: Found): Promise<Observed> {
    const { Id: id, Config, State } = found
    const { Labels } = Config
    const status = statusOfContainer(found)
    const ended = status === 'exited' ? await this.#exitOf(found) : null
    return {
      name: Labels[LABEL.name],
      agent: Labels[LABEL.agent],
      id,
      generation: Number(Labels[LABEL.generation]),
      specHash: Labels[LABEL.spec],
      status,
      endpoint: ended ? null : this.endpoint(found),
      startedAt: State.StartedAt.startsWith('0001') ? null : new Date(State.StartedAt),
      exitCode: ended?.code ?? null,
      outOfMemory: ended?.outOfMemory ?? false,
      failure: ended?.failure ?? null,
      health: status === 'running' ? healthOf(State.Health?.Status) : null,
      state: stateOf(found),
    }
  }

  async #exitOf(found: Found): Promise<InstanceExit> {
    const { Id: id, State, HostConfig } = found
    const { ExitCode, OOMKilled } = State
    const asked = this.#asked.has(id) || HostConfig.CpuShares === STOP_ASKED
    if (State.Status === 'created' || (asked && !OOMKilled)) {
      return { code: asked ? ExitCode : null, outOfMemory: false, failure: null }
    }
    const signal = signalOf(ExitCode)
    const lines = await this.logs(id, LAST_LINES).catch(() => [])
    const exit = explainExit({ code: ExitCode, signal }, false, lines)
    if (!OOMKilled) return exit
    const failure = { reason: 'out_of_memory' as const, message: 'It ran out of memory.' }
    return { ...exit, outOfMemory: true, failure: asked ? null : failure }
  }

  async #noteAsked(id: string): Promise<void> {
    await this.#engine
      .call((docker, options) =>
        docker.getContainer(id).update({ CpuShares: STOP_ASKED, ...options })
      )
      .catch((error: unknown) => {
        // Podman and engines without this limit: then this process alone knows.
        if (statusOf(error) === null) throw error
      })
  }

  /** 409: it is so already, or does not run at all. */
  async #unlessSo(work: Parameters<Engine['settle']>[0]): Promise<void> {
    await this.#engine.settle(work).catch((error: unknown) => {
      const isSo = /already paused|not paused|not running/i.test((error as Error).message)
      if (statusOf(error) !== 409 && !isSo) throw error
    })
  }
}

function statusOfContainer({ State }: Found): Observed['status'] {
  if (State.Paused) return 'suspended'
  return State.Running ? 'running' : 'exited'
}

function stateOf({ Id }: Found): Observed['state'] {
  return { container: Id }
}

function healthOf(status: string | undefined): Observed['health'] {
  return status === 'starting' || status === 'healthy' || status === 'unhealthy' ? status : null
}

/** Whatever is the first process of a container tells by 128 + n that signal n ended it. */
function signalOf(code: number): NodeJS.Signals | null {
  const entry = Object.entries(constants.signals).find(([, number]) => code === 128 + number)
  return entry ? (entry[0] as NodeJS.Signals) : null
}
