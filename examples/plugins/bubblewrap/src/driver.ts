import { execFile } from 'node:child_process'
import { randomInt } from 'node:crypto'
import { createServer } from 'node:net'
import type { Readable } from 'node:stream'
import { promisify } from 'node:util'
import { readFileEnd } from '@mosaic/plugin-kit'
import {
  E_RUNTIME_NAME_TAKEN,
  explainExit,
  KeyedQueue,
  type Instance,
  type InstanceRef,
  type InstanceSpec,
  type Observed,
  type RuntimeCapabilities,
  type RuntimeContext,
  type RuntimeDriver,
  type RuntimeDriverContext,
  type RuntimeFinding,
} from '@mosaic/plugin-kit/runtime'
import { pack, unpack } from './archive.ts'
import { AgentFolder, type AgentRecord, type Run } from './agent_folder.ts'
import { readableFolders, type Options } from './options.ts'
import { endSandbox, runs, startSandbox, type SandboxEnd } from './sandbox.ts'

/** Milliseconds for an instance to stop when a new spec replaces it. */
const REPLACE_GRACE_MS = 5000
/** Size of a log's tail. */
const LOG_BYTES = 1024 * 1024
const LAST_LINES = 20
const BWRAP_MS = 10_000

/** Serialises the operations on one agent across all driver objects. */
const queue = new KeyedQueue()

/** Runs each agent in a bubblewrap sandbox. Only one Mosaic may use a storage folder at a time. */
export class BubblewrapDriver implements RuntimeDriver {
  readonly name = 'bubblewrap'
  readonly label = 'bubblewrap'
  readonly description = 'Agents run in sandboxes of bubblewrap, on the network of this machine.'
  readonly capabilities: RuntimeCapabilities = {
    isolation: 'sandbox-shared-network',
    suspend: false,
    limits: false,
    multiNode: false,
    events: false,
  }

  readonly #context: RuntimeDriverContext

  constructor(context: RuntimeDriverContext) {
    this.#context = context
  }

  ensure(spec: InstanceSpec, { signal, onProgress }: RuntimeContext): Promise<Instance> {
    return this.#alone(spec, signal, async (folder) => {
      signal.throwIfAborted()
      const found = await this.#claimed(folder, spec)
      if (found?.run && runs(found.run)) {
        if (found.run.specHash === spec.hash) return instanceOf(spec.name, found.run)
        await this.#end(folder, found, found.run, REPLACE_GRACE_MS)
      }
      onProgress?.('Starting the sandbox')
      const record = { ...found, ...this.#recordOf(spec), run: null }
      await folder.save(record)
      await folder.prepare(spec)
      signal.throwIfAborted()
      return instanceOf(spec.name, await this.#start(spec, folder, record, signal))
    })
  }

  async stop(ref: InstanceRef, { graceMs }: { graceMs: number }): Promise<void> {
    await this.#owned(ref, async (folder, record) => {
      if (record.run && runs(record.run)) await this.#end(folder, record, record.run, graceMs)
    })
  }

  async inspect({ name }: InstanceRef): Promise<Observed | null> {
    const folder = this.#folder(name)
    const record = await folder.read()
    if (record?.installation !== this.#context.installation || !record.run) return null
    return this.#observe(folder, record, record.run)
  }

  async *list(): AsyncIterable<Observed> {
    for (const name of await AgentFolder.names(this.#context.launch.storage)) {
      const observed = await this.inspect({ name, state: null })
      if (observed) yield observed
    }
  }

  async remove(ref: InstanceRef): Promise<void> {
    await this.#owned(ref, async (folder, record) => {
      if (record.run && runs(record.run)) await endSandbox(record.run, 0)
      await folder.save({ ...record, run: null })
    })
  }

  async purge(ref: InstanceRef): Promise<void> {
    await this.#owned(ref, async (folder, record) => {
      if (record.run && runs(record.run)) await endSandbox(record.run, 0)
      await folder.delete()
    })
  }

  async exportData(ref: InstanceRef, { signal }: RuntimeContext): Promise<Readable | null> {
    const folder = this.#folder(ref.name)
    const isOurs = (await folder.read())?.installation === this.#context.installation
    return isOurs && folder.hasState ? pack(folder.state, signal) : null
  }

  importData(spec: InstanceSpec, data: Readable, { signal }: RuntimeContext): Promise<void> {
    return this.#alone(spec, signal, async (folder) => {
      const found = await this.#claimed(folder, spec)
      await folder.save({ run: null, ...found, ...this.#recordOf(spec) })
      try {
        await folder.makeIncoming()
        await unpack(folder.incoming, data, signal)
        await folder.takeIncoming()
      } finally {
        await folder.drop(folder.incoming)
      }
    })
  }

  async keepImport(ref: InstanceRef): Promise<void> {
    await this.#owned(ref, (folder) => folder.drop(folder.replaced))
  }

  async undoImport(ref: InstanceRef): Promise<boolean> {
    let undone = false
    await this.#owned(ref, async (folder, record) => {
      if (!folder.hasReplaced) return
      await folder.save({ ...record, run: null })
      await folder.drop(folder.state)
      undone = true
    })
    return undone
  }

  async *logs(ref: InstanceRef, { tail }: { tail: number }): AsyncIterable<string> {
    if (tail > 0 && (await this.inspect(ref))) yield* await lastLines(this.#folder(ref.name), tail)
  }

  async preflight(): Promise<RuntimeFinding[]> {
    const findings: RuntimeFinding[] = []
    const fault = (code: string, message: string, hint: string) =>
      findings.push({ severity: 'error', code, message, hint })
    const probe = ['--ro-bind', '/', '/', '--unshare-pid', '--proc', '/proc', '/bin/true']
    await promisify(execFile)('bwrap', probe, { timeout: BWRAP_MS }).catch((error) =>
      error.code === 'ENOENT'
        ? fault('bubblewrap_missing', 'bubblewrap is not installed.', 'apt install bubblewrap')
        : fault(
            'bubblewrap_refused',
            'This machine lets nobody make a sandbox.',
            String(error.stderr || error.message)
          )
    )
    try {
      this.#context.launch.openclaw()
    } catch (error) {
      fault('openclaw_missing', (error as Error).message, 'Run "npm run quickstart" once.')
    }
    return findings
  }

  async #start(
    spec: InstanceSpec,
    folder: AgentFolder,
    record: AgentRecord,
    signal: AbortSignal
  ): Promise<Run> {
    const port = await freePort()
    const { launch, options } = this.#context
    const readable = readableFolders((await options()) as Options)
    const started = await startSandbox(spec, folder, launch, { port, readable })
    const run: Run = {
      ...started.process,
      port,
      generation: spec.generation,
      specHash: spec.hash,
      startedAt: new Date().toISOString(),
      stopRequested: false,
      exit: null,
    }
    if (signal.aborted) {
      await endSandbox(run, 0)
      throw signal.reason
    }
    await folder.save({ ...record, run })
    started.ended
      .then((end) => this.#noteEnd(spec.name, run, end))
      // Without this note, the end is still observed, but not its cause.
      .catch(() => {})
    return run
  }

  async #end(folder: AgentFolder, record: AgentRecord, run: Run, graceMs: number): Promise<void> {
    await folder.save({ ...record, run: { ...run, stopRequested: true } })
    await endSandbox(run, graceMs)
  }

  /** Records how a run ended, unless the agent was removed or restarted. */
  async #noteEnd(name: string, run: Run, end: SandboxEnd): Promise<void> {
    await this.#owned({ name, state: null }, async (folder, record) => {
      if (record.run?.pid !== run.pid || record.run.startTicks !== run.startTicks) return
      const exit = explainExit(end, false, await lastLines(folder, LAST_LINES))
      await folder.save({ ...record, run: { ...record.run, exit } })
    })
  }

  async #observe(folder: AgentFolder, record: AgentRecord, run: Run): Promise<Observed> {
    const running = runs(run)
    const unknown = { code: null, signal: null }
    const exit = running
      ? null
      : (run.exit ?? explainExit(unknown, false, await lastLines(folder, LAST_LINES)))
    return {
      name: record.name,
      agent: record.agent,
      id: String(run.pid),
      generation: run.generation,
      specHash: run.specHash,
      status: running ? 'running' : 'exited',
      endpoint: running ? endpointOf(run) : null,
      startedAt: new Date(run.startedAt),
      exitCode: exit?.code ?? null,
      outOfMemory: exit?.outOfMemory ?? false,
      failure: run.stopRequested ? null : (exit?.failure ?? null),
      state: { port: run.port },
    }
  }

  /**
   * Returns the agent's record, or null.
   *
   * @throws E_RUNTIME_NAME_TAKEN
   */
  async #claimed(folder: AgentFolder, { name }: InstanceSpec): Promise<AgentRecord | null> {
    const found = await folder.read()
    const isOurs = found ? found.installation === this.#context.installation : !folder.exists
    if (!isOurs) throw new E_RUNTIME_NAME_TAKEN(name)
    return found
  }

  #recordOf({ name, agent }: InstanceSpec): Omit<AgentRecord, 'run'> {
    return { installation: this.#context.installation, name, agent }
  }

  #folder(name: string): AgentFolder {
    return new AgentFolder(this.#context.launch.storage, name)
  }

  #alone<Value>(
    { name }: { name: string },
    signal: AbortSignal | null,
    task: (folder: AgentFolder) => Promise<Value>
  ): Promise<Value> {
    const folder = this.#folder(name)
    return queue.run(folder.path, () => task(folder), signal)
  }

  /** Runs the task if the agent belongs to this installation, else does nothing. */
  #owned(
    ref: InstanceRef,
    task: (folder: AgentFolder, record: AgentRecord) => Promise<void>
  ): Promise<void> {
    return this.#alone(ref, null, async (folder) => {
      const record = await folder.read()
      if (record?.installation === this.#context.installation) await task(folder, record)
    })
  }
}

function endpointOf({ port }: Run): string {
  return `http://127.0.0.1:${port}`
}

function instanceOf(name: string, run: Run): Instance {
  return { name, id: String(run.pid), endpoint: endpointOf(run), state: { port: run.port } }
}

async function lastLines({ log }: AgentFolder, count: number): Promise<string[]> {
  const end = await readFileEnd(log, LOG_BYTES).catch(() => Buffer.alloc(0))
  return end.toString('utf8').replace(/\n$/, '').split('\n').slice(-count)
}

/** Picks a port below the ephemeral range, so that no outgoing connection takes it meanwhile. */
async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(20_000, 30_000)
    const server = createServer()
    const isFree = await new Promise<boolean>((resolve) => {
      server.once('error', () => resolve(false))
      server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)))
    })
    if (isFree) return port
  }
}
