import { once } from 'node:events'
import { spawn, type ChildProcess } from 'node:child_process'
import type { Server, Socket } from 'node:net'
import { fileURLToPath } from 'node:url'
import type { GateAnswer, GateRequest } from '#runtimes/drivers/process/sandbox/gate_helper'

/** Within a machine a connection takes microseconds, but longer under load. */
const DEADLINE_MS = 5000
/** The first answer waits until the helper runs, which a busy machine delays. */
const START_DEADLINE_MS = 20_000

/** Beside this file, as source or compiled. Node itself strips the types of a source file. */
const HELPER = fileURLToPath(
  new URL(`./gate_helper.${import.meta.url.endsWith('.ts') ? 'ts' : 'js'}`, import.meta.url)
)

type Handle = Server | Socket

interface Waiting {
  verb: GateRequest['verb']
  resolve: (handle: Handle) => void
  reject: (error: Error) => void
}

/** Gives Mosaic sockets in the gate's network, while Mosaic itself stays in the machine's. */
export class GateSockets {
  readonly #networkFile: string
  readonly #waiting = new Map<number, Waiting>()
  #helper: ChildProcess | null = null
  #last = 0

  /** @param networkFile identifies the network, as `/run/netns/<name>` does */
  constructor(networkFile: string) {
    this.#networkFile = networkFile
  }

  /** Whether a process of ours is in the gate, which prevents its removal. */
  get isOpen(): boolean {
    return this.#helper !== null
  }

  /** Resolves once a process of ours is in the gate. */
  async open(): Promise<void> {
    await this.#ask('enter', '', 0)
  }

  /**
   * Listens there. Node calls the server's listener in this process for each connection.
   *
   * @throws an error with a code such as EADDRINUSE
   */
  async listen(host: string, port: number): Promise<Server> {
    return (await this.#ask('listen', host, port)) as Server
  }

  /** @throws an error with a code such as ECONNREFUSED; the signal's reason */
  async dial(host: string, port: number, signal?: AbortSignal): Promise<Socket> {
    return (await this.#ask('dial', host, port, signal)) as Socket
  }

  /** Resolves once none of Mosaic's processes is in the gate; only then can it be removed. */
  async close(): Promise<void> {
    const helper = this.#helper
    this.#helper = null
    if (!helper) return
    const gone = once(helper, 'exit').catch(() => {})
    helper.ref()
    helper.kill('SIGKILL')
    await gone
  }

  async #ask(
    verb: GateRequest['verb'],
    host: string,
    port: number,
    signal?: AbortSignal
  ): Promise<Handle> {
    signal?.throwIfAborted()
    const helper = (this.#helper ??= this.#start())
    const id = ++this.#last
    const { promise, resolve, reject } = Promise.withResolvers<Handle>()
    const leave = () => {
      if (helper.connected) helper.send({ id, verb: 'cancel', host, port } satisfies GateRequest)
      reject(signal?.aborted ? signal.reason : failure('ETIMEDOUT'))
    }
    const late = setTimeout(leave, verb === 'enter' ? START_DEADLINE_MS : DEADLINE_MS)
    signal?.addEventListener('abort', leave, { once: true })
    this.#waiting.set(id, { verb, resolve, reject })
    helper.channel?.ref()
    helper.send({ id, verb, host, port } satisfies GateRequest, (error) => error && reject(error))
    try {
      return await promise
    } finally {
      clearTimeout(late)
      signal?.removeEventListener('abort', leave)
      this.#waiting.delete(id)
      if (this.#waiting.size === 0) helper.channel?.unref()
    }
  }

  #start(): ChildProcess {
    const options = ['--max-old-space-size=32', '--disable-warning=ExperimentalWarning', HELPER]
    const helper = spawn('nsenter', [`--net=${this.#networkFile}`, process.execPath, ...options], {
      cwd: '/',
      env: { PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin' },
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    })
    helper.unref()
    helper.channel?.unref()
    helper.on('message', (message, handle) => this.#settle(message as GateAnswer, handle as Handle))
    helper.once('error', (error) => this.#lose(helper, error))
    helper.once('exit', () => this.#lose(helper, failure('EPIPE')))
    return helper
  }

  #settle({ id, error }: GateAnswer, handle: Handle | undefined): void {
    // An agent may reset it before the caller listens for errors, which must not crash Mosaic.
    if (handle && 'destroy' in handle) handle.on('error', () => {})
    const waiting = this.#waiting.get(id)
    if (error) return waiting?.reject(failure(error))
    if (waiting && !handle && waiting.verb !== 'enter') return waiting.reject(failure('ECONNRESET'))
    if (waiting) return waiting.resolve(handle!)
    // The caller is gone.
    if (handle && 'destroy' in handle) handle.destroy()
    else handle?.close()
  }

  #lose(helper: ChildProcess, error: Error): void {
    if (this.#helper === helper) this.#helper = null
    for (const { reject } of this.#waiting.values()) reject(error)
  }
}

function failure(code: string): NodeJS.ErrnoException {
  return Object.assign(new Error(`The gate of the agents answered ${code}`), { code })
}
