import { existsSync } from 'node:fs'
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { RuntimeError } from '#runtimes/errors'
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ProcessDriver, type ProcessDriverConfig } from '#runtimes/drivers/process/driver'
import type { UserRange } from '#runtimes/drivers/process/users'
import { fetchBy } from '#tests/contracts/gateway_fetch'
import { AgentDocuments } from '#tests/doubles/agent_documents'
import { installFakeOpenclaw, type FakeBehaviour } from '#tests/doubles/fake_openclaw'
import type { Instance, InstanceSpec, Observed, RuntimeContext } from '#runtimes/contract'
import type { InstanceTrial, RuntimeTrial } from '#tests/contracts/runtime'
import { trialSpec } from '#tests/contracts/trial_spec'
import { until } from '#tests/contracts/until'

/** The launcher, as the application starts it. */
const ENTRYPOINT = new URL('../../docker/agent/entrypoint.sh', import.meta.url).pathname

/** Default installation of a trial. */
export const HERE = 'here'

const COMMAND_MS = 60_000

/** Other users than those of the agents of a Mosaic that runs beside it. */
const USERS: UserRange = { first: 320_000, count: 50_000 }

/** Runs the process driver on its own storage folder, with a fast-starting double of OpenClaw. */
export class ProcessTrial implements RuntimeTrial {
  readonly #drivers: ProcessDriver[] = []
  readonly #reached = new Map<ProcessDriver, string>()
  #apiUrl: string | null = null

  private constructor(
    readonly folder: string,
    readonly documents: AgentDocuments,
    readonly config: ProcessDriverConfig
  ) {}

  static async prepare(change: Partial<ProcessDriverConfig> = {}): Promise<ProcessTrial> {
    const folder = await mkdtemp(join(tmpdir(), 'mosaic-process-'))
    await chmod(folder, 0o755)
    const documents = await new AgentDocuments().start()
    return new ProcessTrial(folder, documents, {
      storage: join(folder, 'storage'),
      openclaw: [await installFakeOpenclaw(join(folder, 'fake'))],
      entrypoint: ENTRYPOINT,
      unisolated: 'accept',
      users: USERS,
      ...change,
    })
  }

  /** Address of the documents for agents: in their gate, if they have one. */
  get apiUrl(): string {
    return this.#apiUrl ?? this.documents.url
  }

  /** Returns a path in one agent's folder. */
  agentPath(name: string, ...parts: string[]): string {
    return join(this.config.storage, 'agents', name, ...parts)
  }

  async open(
    installation: string,
    change: Partial<ProcessDriverConfig> = {}
  ): Promise<ProcessDriver> {
    const driver = new ProcessDriver({ ...this.config, ...change }, installation)
    this.#drivers.push(driver)
    if (Object.keys(change).length === 0) this.#apiUrl = await this.#answerFor(driver)
    return driver
  }

  /** Serves the documents where this driver's agents call back, and returns that address. */
  async #answerFor(driver: ProcessDriver): Promise<string> {
    const known = this.#reached.get(driver)
    if (known) return known
    const callback = await driver.callback()
    if (callback) this.documents.listenOn(await callback.open!())
    const url = callback ? `http://${callback.host}:${callback.port}` : this.documents.url
    this.#reached.set(driver, url)
    return url
  }

  async kill({ id }: Instance): Promise<void> {
    process.kill(Number(id), 'SIGKILL')
  }

  /** In a sandbox, the double takes commands from tests, as in a container. */
  readonly within: InstanceTrial = {
    run: (instance, command) => this.#knob(instance, '/run', { command }),
    connect: async (instance, host, port) => {
      const { result } = await this.#knob<{ result: string }>(instance, '/connect', { host, port })
      return result
    },
    takeMemory: async (instance, megabytes) => {
      await this.#knob(instance, '/hog', { megabytes })
    },
  }

  async #knob<Answer>({ id, state }: Instance, path: string, body: object): Promise<Answer> {
    const asking = `fetch('http://127.0.0.1:${state.port}${path}', { method: 'POST', body: process.argv[1] })
      .then((answer) => answer.text()).then((text) => process.stdout.write(text))`
    const inside = [
      `--net=/proc/${id}/ns/net`,
      process.execPath,
      '-e',
      asking,
      JSON.stringify(body),
    ]
    const { stdout } = await promisify(execFile)('nsenter', inside, { timeout: COMMAND_MS })
    return JSON.parse(stdout) as Answer
  }

  broken(): Promise<ProcessDriver> {
    return this.open('installation-here', { openclaw: [join(this.folder, 'nowhere')] })
  }

  async plant(name: string): Promise<() => Promise<boolean>> {
    const file = this.agentPath(name, 'notes.txt')
    await mkdir(this.agentPath(name), { recursive: true })
    await writeFile(file, 'mine')
    return async () => existsSync(file) && (await readFile(file, 'utf8')) === 'mine'
  }

  /** Creates a spec of a new agent, whose document tells the double of OpenClaw how to behave. */
  spec(fake: FakeBehaviour = {}, files: { path: string; content: string }[] = []): InstanceSpec {
    const spec = trialSpec({ installation: HERE, apiUrl: this.apiUrl })
    this.documents.serve(spec.agent, { fake }, files)
    return spec
  }

  /** Returns the context of a caller who never leaves. */
  patient(): RuntimeContext {
    return { signal: new AbortController().signal }
  }

  /** Starts an agent, by default with the first driver, and waits until it is ready. */
  async start(spec: InstanceSpec, driver = this.#drivers[0]): Promise<Instance> {
    const apiUrl = await this.#answerFor(driver)
    const instance = await driver.ensure({ ...spec, apiUrl }, this.patient())
    await until(
      async () => (await fetchBy(driver)(`${instance.endpoint}/startupz`).catch(() => null))?.ok
    )
    return instance
  }

  /** Waits until an instance has exited, and returns what the driver observes. */
  ended(instance: Instance): Promise<Observed> {
    return until(async () => {
      const observed = await this.#drivers[0].inspect(instance)
      return observed?.status === 'exited' ? observed : null
    })
  }

  async log(instance: Instance): Promise<string> {
    const lines = await Array.fromAsync(this.#drivers[0].logs(instance, { tail: 10_000 }))
    return lines.join('\n')
  }

  async failureOf(driver: ProcessDriver, spec: InstanceSpec): Promise<RuntimeError> {
    const error = await driver.ensure(spec, this.patient()).catch((thrown) => thrown)
    if (!(error instanceof RuntimeError))
      throw new Error('It did not fail as a runtime does', { cause: error })
    return error
  }

  async close(): Promise<void> {
    for (const driver of this.#drivers) {
      const names = (await Array.fromAsync(driver.list())).map(({ name }) => name)
      for (const name of names) await driver.remove({ name, state: null })
      await driver.close()
    }
    await this.documents.stop()
    await rm(this.folder, { recursive: true, force: true })
  }
}
