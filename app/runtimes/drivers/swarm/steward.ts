import { randomUUID } from 'node:crypto'
import { Readable } from 'node:stream'
import { Agent, request } from 'undici'
import { readJson } from '#bounded/body'
import { E_RUNTIME_NAME_TAKEN, RuntimeError } from '#runtimes/errors'
import type { RuntimeContext } from '#runtimes/contract'
import { HANDED_FOLDER } from '#runtimes/engine/agent_container'
import { LABEL } from '#runtimes/engine/labels'
import { ENDPOINT, hardened, hardenedContainer } from '#runtimes/drivers/swarm/agent_service'
import type { Cluster } from '#runtimes/drivers/swarm/cluster'
import type { HandedFiles } from '#runtimes/drivers/swarm/handed_files'
import { hasEnded, latestOf, type Task } from '#runtimes/drivers/swarm/objects'
import { until } from '#runtimes/drivers/swarm/polling'
import type { Services } from '#runtimes/drivers/swarm/services'
import type { StateMounts } from '#runtimes/drivers/swarm/state_mounts'

const LIMITS = { memoryMb: 256, cpus: 1, processes: 64 }

/** How long a job without a transfer may take. */
const JOB_MS = 120_000
/** How long a node may take to start one. */
const START_MS = 60_000
/** How long a transfer may stand still. */
const IDLE_MS = 60_000

const ANSWER = { what: 'The answer of the steward', maxBytes: 64 * 1024 }

const FOREIGN = 3
const NO_DATA = 4

export type Verb = 'prepare' | 'keep' | 'undo' | 'purge'

export interface StewardPlace {
  /** The agent whose data it is. */
  name: string
  /** The node of the data; null lets the swarm choose one. */
  node: string | null
  image: string
  network: string
  constraints: string[]
}

/** Cares for agents' data by services that run once, on the node that has the data: see `docker/agent/steward.mjs`. */
export class Steward {
  readonly #installation: string
  readonly #cluster: Cluster
  readonly #services: Services
  readonly #files: HandedFiles
  readonly #mounts: StateMounts

  constructor(
    installation: string,
    parts: { cluster: Cluster; services: Services; files: HandedFiles; mounts: StateMounts }
  ) {
    this.#installation = installation
    this.#cluster = parts.cluster
    this.#services = parts.services
    this.#files = parts.files
    this.#mounts = parts.mounts
  }

  /**
   * Does a job to its end.
   *
   * @returns the node that did it; null if there is no data
   * @throws RuntimeError, E_RUNTIME_NAME_TAKEN if the data is another's, the signal's reason
   */
  async run(verb: Verb, place: StewardPlace, signal?: AbortSignal): Promise<string | null> {
    return this.#with(verb, place, null, async (name) => {
      const task = await until(
        async () => this.#look(name, place, (one) => hasEnded(one)),
        JOB_MS,
        signal
      )
      if (!task) throw tooSlow(place)
      const code = task.Status.ContainerStatus?.ExitCode
      if (task.Status.State === 'complete') return task.NodeID ?? null
      if (code === NO_DATA) return null
      if (code === FOREIGN) throw new E_RUNTIME_NAME_TAKEN(`${place.name}-data`)
      throw failed(task)
    })
  }

  /** Reads an agent's data as an archive. The service ends with the stream. */
  export(place: StewardPlace, { signal }: RuntimeContext): Readable {
    return Readable.from(this.#read(place, signal), { objectMode: false })
  }

  async *#read(place: StewardPlace, signal: AbortSignal): AsyncGenerator<Buffer> {
    const opened = await this.#open('export', place, signal)
    try {
      const { statusCode, body } = await this.#ask(opened, { method: 'GET', signal })
      if (statusCode !== 200) throw refused(statusCode)
      for await (const piece of body) yield piece as Buffer
    } finally {
      await opened.close()
    }
  }

  /**
   * Puts an archive in the place of an agent's data.
   *
   * @returns whether earlier data is set aside
   */
  async import(
    place: StewardPlace,
    data: Readable,
    { signal }: RuntimeContext
  ): Promise<{ node: string; hasAside: boolean }> {
    const opened = await this.#open('import', place, signal)
    try {
      const { statusCode, body } = await this.#ask(opened, { method: 'PUT', body: data, signal })
      if (statusCode !== 200) throw refused(statusCode)
      const { aside } = (await readJson(body, { ...ANSWER, signal })) as { aside?: boolean }
      return { node: opened.node, hasAside: aside === true }
    } finally {
      await opened.close()
    }
  }

  #ask(
    { url, token }: Opened,
    options: { method: 'GET' | 'PUT'; body?: Readable; signal: AbortSignal }
  ) {
    const dispatcher = new Agent({ headersTimeout: IDLE_MS, bodyTimeout: IDLE_MS, pipelining: 0 })
    return request(url, { ...options, headers: { authorization: `Bearer ${token}` }, dispatcher })
  }

  /** Starts a steward that serves one request. */
  async #open(
    verb: 'export' | 'import',
    place: StewardPlace,
    signal: AbortSignal
  ): Promise<Opened> {
    const token = randomUUID()
    const close = Promise.withResolvers<void>()
    const opened = Promise.withResolvers<Opened>()
    const ended = this.#with(verb, place, token, async (name) => {
      const task = await until(
        async () => this.#look(name, place, ({ Status }) => Status.State === 'running'),
        START_MS,
        signal
      )
      if (!task) throw tooSlow(place)
      const node = await this.#cluster.node(task.NodeID)
      const port = task.Status.PortStatus?.Ports?.[0]?.PublishedPort
      const url = `http://${node?.address}:${port}/`
      if (!(await until(async () => isListening(url), START_MS, signal))) throw unheard(place, url)
      const closing = async () => {
        close.resolve()
        await ended
      }
      opened.resolve({ url, token, node: task.NodeID!, close: closing })
      await close.promise
    })
    ended.catch((error: unknown) => opened.reject(error))
    return opened.promise
  }

  /** Runs the task beside a service of the steward, and removes the service after it. */
  async #with<Value>(
    verb: Verb | 'export' | 'import',
    place: StewardPlace,
    token: string | null,
    task: (name: string) => Promise<Value>
  ): Promise<Value> {
    const name = `mosaic-steward-${randomUUID().slice(0, 13)}`
    const labels = {
      [LABEL.installation]: this.#installation,
      [LABEL.name]: name,
      [LABEL.purpose]: 'steward',
    }
    const secret = token
      ? await this.#files.secret(name, JSON.stringify({ token }), {
          path: `${HANDED_FOLDER}/steward.json`,
          labels,
        })
      : null
    const { mount, data } = this.#mounts.forSteward(place.name)
    const pinned = place.node ? [`node.id==${place.node}`] : place.constraints
    try {
      await this.#services.create({
        Name: name,
        Labels: labels,
        Mode: { Replicated: { Replicas: 1 } },
        TaskTemplate: {
          ...hardened({ network: place.network, constraints: pinned }, LIMITS),
          ContainerSpec: {
            ...hardenedContainer(place.image, LIMITS.memoryMb),
            User: '0:0',
            CapabilityAdd: ['CHOWN', 'DAC_OVERRIDE', 'FOWNER', 'SETUID', 'SETGID'],
            StopGracePeriod: 1e6,
            Labels: labels,
            Command: [
              'node',
              `${HANDED_FOLDER}/steward.mjs`,
              verb,
              `${this.#installation} ${place.name}`,
            ],
            Env: [`MOSAIC_DATA=${data}`],
            Mounts: [mount],
            Configs: [await this.#files.script('steward.mjs')],
            Secrets: secret ? [secret] : [],
          },
        },
        ...(token && { EndpointSpec: ENDPOINT }),
      })
      return await task(name)
    } finally {
      await this.#services.remove(name)
      if (secret) await this.#files.deleteSecret(secret.SecretID as string)
    }
  }

  async #look(
    name: string,
    place: StewardPlace,
    isEnough: (task: Task) => boolean
  ): Promise<Task | false> {
    const task = latestOf(await this.#services.tasks(name))
    if (task && isEnough(task)) return task
    if (task && hasEnded(task)) throw failed(task)
    if (place.node) {
      const node = await this.#cluster.node(place.node)
      if (!node || node.isLost) throw lost(place)
    }
    return false
  }
}

interface Opened {
  url: string
  token: string
  node: string
  close(): Promise<void>
}

async function isListening(url: string): Promise<true | false> {
  const signal = AbortSignal.timeout(1000)
  // Without the token it answers 403, and waits on.
  const response = await fetch(url, { signal }).catch(() => null)
  await response?.body?.cancel()
  return response?.status === 403
}

function lost({ name }: StewardPlace): RuntimeError {
  return new RuntimeError('engine_unreachable', `The node with the data of ${name} is lost.`, {
    help: 'Its data comes back with the node: "docker node ls" shows its state, unless it has left the swarm.',
  })
}

function tooSlow({ name }: StewardPlace): RuntimeError {
  return new RuntimeError(
    'no_capacity',
    `No node took on the work with the data of ${name} in time.`,
    {
      help: '"docker node ls" shows which nodes are ready; the constraints of the runtime must allow one.',
    }
  )
}

function unheard({ name }: StewardPlace, url: string): RuntimeError {
  const { host } = new URL(url)
  return new RuntimeError(
    'engine_unreachable',
    `The work with the data of ${name} does not answer.`,
    {
      help: `Mosaic must reach the port that the node publishes: ${host}.`,
    }
  )
}

function failed({ Status }: Task): RuntimeError {
  const why = Status.Err ?? 'it ended early'
  const reason = /no such image/i.test(why) ? 'image_missing' : 'internal'
  return new RuntimeError(reason, `The work with an agent's data failed: ${why}`)
}

function refused(status: number): RuntimeError {
  return new RuntimeError(
    'internal',
    `The data could not be moved: the steward answered ${status}.`
  )
}
