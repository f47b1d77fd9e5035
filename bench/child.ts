import { execFileSync, fork, type ChildProcess } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { fileURLToPath } from 'node:url'

/** Milliseconds until a process must be ready; one of them starts OpenClaw first. */
const READY_MS = 240_000

/** Jiffies per second in /proc, a constant of the Linux ABI. */
const TICKS_PER_SECOND = 100

export interface ChildOptions {
  args?: string[]
  env?: NodeJS.ProcessEnv
  /** Arguments of `node`. */
  flags?: string[]
  /** Command prefix that says where it runs, for example in another network. */
  inside?: string[]
}

/**
 * A process of the bench, or another one named by its URL. It reports `ready` with data for its callers, and
 * answers questions.
 */
export class Child<Ready> {
  #asked = 0

  private constructor(
    readonly process: ChildProcess,
    readonly ready: Ready
  ) {}

  /** @throws if it ends, or is not ready within `READY_MS` */
  static async start<Ready>(file: string | URL, options: ChildOptions = {}): Promise<Child<Ready>> {
    const url = file instanceof URL ? file : new URL(`processes/${file}.ts`, import.meta.url)
    const path = fileURLToPath(url)
    const loader = path.endsWith('.ts') ? ['--import=@poppinss/ts-exec'] : []
    const node = [process.execPath, ...(options.flags ?? []), '--expose-gc', ...loader]
    const [execPath, ...execArgv] = [...(options.inside ?? []), ...node]
    const child = fork(path, options.args ?? [], {
      execPath,
      execArgv,
      env: options.env ?? process.env,
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    })
    const ready = await new Promise<Ready>((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`${file} was not ready in time`)), READY_MS)
      child.once('exit', (code) => reject(new Error(`${file} ended with status ${code}`)))
      child.on('message', (message: { ready?: Ready }) => {
        if (message.ready === undefined) return
        clearTimeout(timer)
        resolve(message.ready)
      })
    }).catch((error) => {
      child.kill('SIGKILL')
      throw error
    })
    return new Child(child, ready)
  }

  /**
   * Asks the process something; the answer carries the question's number.
   *
   * @throws if it fails, or ends before it has answered
   */
  ask<Answer>(question: string, input?: unknown): Promise<Answer> {
    const id = ++this.#asked
    const { promise, resolve, reject } = Promise.withResolvers<Answer>()
    const listen = (message: { id?: number; answer?: Answer; failure?: string }) => {
      if (message.id !== id) return
      if (message.failure) reject(new Error(message.failure))
      else resolve(message.answer!)
    }
    const ended = () => reject(new Error(`It ended before it answered "${question}"`))
    this.process.on('message', listen)
    this.process.once('exit', ended)
    this.process.send({ id, question, input }, (error) => error && reject(error))
    return promise.finally(() => {
      this.process.off('message', listen)
      this.process.off('exit', ended)
    })
  }

  /** Processor time used so far, in seconds. */
  cpuSeconds(): number {
    const fields = readFileSync(`/proc/${this.process.pid}/stat`, 'utf8').split(') ')[1].split(' ')
    return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND
  }

  async stop(): Promise<void> {
    if (this.process.exitCode !== null || this.process.signalCode !== null) return
    const ended = new Promise((resolve) => this.process.once('exit', resolve))
    this.process.kill('SIGTERM')
    const timer = setTimeout(() => this.process.kill('SIGKILL'), 5000)
    await ended
    clearTimeout(timer)
    /** A command of `inside` may have ended without the process that it started, which this tells. */
    if (this.process.connected) this.process.disconnect()
  }
}

/** Returns the cores that a process may run on, as `taskset` lists them; null if unknown. */
export function coresOf(pid: number): string | null {
  try {
    const said = execFileSync('taskset', ['-c', '-p', String(pid)], { encoding: 'utf8' })
    return /list: (\S+)/.exec(said)?.[1] ?? null
  } catch {
    return null
  }
}

/**
 * Pins a process and its future children to one core or a list of cores, so that "on the same core" is true and
 * the load gets the others. Returns whether that was possible.
 */
export function pin(pid: number, core: number | string): boolean {
  if (cpus().length < 2) return false
  try {
    execFileSync('taskset', ['-a', '-p', '-c', String(core), String(pid)], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}
