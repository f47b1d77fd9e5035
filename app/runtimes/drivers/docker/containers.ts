import type { Readable } from 'node:stream'
import { constants } from 'node:os'
import type Docker from 'dockerode'
import { readBytes } from '#bounded/body'
import type { Instance, Observed } from '#runtimes/contract'
import { explainExit, type InstanceExit } from '#runtimes/exit_reasons'
import { STOP_ASKED } from '#runtimes/drivers/docker/container_options'
import { firstFile } from '#runtimes/archive'
import { agentsOf, isOf, LABEL } from '#runtimes/engine/labels'
import { logLines } from '#runtimes/engine/log_lines'
import { statusOf, type Engine } from '#runtimes/engine/engine'
import type { Topology } from '#runtimes/drivers/docker/topology'
import { GATEWAY_PORT } from '#runtimes/engine/agent_container'

/** Enough lines to show why a container exited. */
const LAST_LINES = 40

/** Time the engine gets for a stop beyond the grace. */
const STOP_MARGIN_MS = 30_000

/** A file that Mosaic itself put there, as an archive. */
const SMALL_FILE = { what: 'A file of the container', maxBytes: 1024 * 1024, maxMs: 30_000 }

/** Concurrent inspections of single containers. */
const LOOKS_AT_ONCE = 16

export type Found = Docker.ContainerInspectInfo

/** The agents' containers of one installation on one engine. */
export class Containers {
  readonly #engine: Engine
  readonly #installation: string
  readonly #topology: Topology
  /** Stops requested by this process, for engines on which they cannot be recorded. */
  readonly #asked = new Set<string>()

  /** @param topology lets Mosaic reach an agent before its address is told */
  constructor(engine: Engine, installation: string, topology: Topology) {
    this.#topology = topology
    this.#engine = engine
    this.#installation = installation
  }

  /** Returns the container of this name, ours or not. */
  async find(name: string): Promise<Found | null> {
    return this.#engine.find((docker, options) => docker.getContainer(name).inspect(options))
  }

  /** Returns the agent's container of this name, if it is ours. */
  async findOurs(name: string): Promise<Found | null> {
    const found = await this.find(name)
    return found && this.isOurs(found) ? found : null
  }

  /** As `findOurs`; if it runs, Mosaic reaches it from here on. @throws RuntimeError */
  async findReached(name: string): Promise<Found | null> {
    const found = await this.findOurs(name)
    if (found?.State.Running) await this.#topology.reach(found)
    return found
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
      for (const found of await Promise.all(looks)) {
        if (!found) continue
        // One that cannot be reached hides no other.
        if (found.State.Running) await this.#topology.reach(found).catch(() => {})
        yield found
      }
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

  /** Asks the container to stop, and kills it after the grace. Resolves when it is not running. */
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
        // Another process is removing it right now.
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

  /** Returns the text of a small file, or null if it does not exist. */
  async readFile(id: string, path: string): Promise<string | null> {
    const stream = await this.#engine.find((docker, options) =>
      docker.getContainer(id).getArchive({ path, ...options })
    )
    return stream && firstFile(await readBytes(stream as Readable, SMALL_FILE))
  }

  /** The address at which Mosaic reaches the gateway of a running container. */
  endpoint({ NetworkSettings }: Found): string | null {
    const address = Object.values(NetworkSettings.Networks)
      .map(({ IPAddress }) => IPAddress)
      .find((one) => one !== '')
    return address ? `http://${address}:${GATEWAY_PORT}` : null
  }

  /** Returns the result of `ensure` for a started container, or null if it has exited already. */
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
        // Podman and some engines cannot update shares: then only this process knows of the stop.
        if (statusOf(error) === null) throw error
      })
  }

  /** Ignores 409: the container is in the wanted state already, or is not running at all. */
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

function stateOf({ Id, Config }: Found): Observed['state'] {
  return { container: Id, engine: Config.Labels[LABEL.engine] ?? null }
}

function healthOf(status: string | undefined): Observed['health'] {
  return status === 'starting' || status === 'healthy' || status === 'unhealthy' ? status : null
}

/** Returns the signal behind an exit code: a container's first process reports signal n as 128 + n. */
function signalOf(code: number): NodeJS.Signals | null {
  const entry = Object.entries(constants.signals).find(([, number]) => code === 128 + number)
  return entry ? (entry[0] as NodeJS.Signals) : null
}
