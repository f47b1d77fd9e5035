import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Connection } from '#tests/e2e/clients/sdk'

/** A task for a coding client, given on its command line. */
export interface Task {
  model: string
  prompt: string
  /** An image file to send along. */
  image?: string
}

/** A tool call of the model that reads a file of the workspace. */
export type ReadCall = (file: string) => { name: string; args: object }

/** One of the programs that write code, run without a terminal. */
export interface CodingClient {
  readonly name: string
  /** Whether its command line takes images. */
  readonly takesImages: boolean
  /** The tool, of the client's own, that reads a file. */
  readonly read: ReadCall
  /** Returns its command line, and writes what it reads its settings from. */
  command(task: Task, place: Workspace, connection: Connection): Command
}

export interface Command {
  program: string
  args: string[]
  env: Record<string, string>
}

/** How a client ended. */
export interface Ended {
  code: number | null
  out: string
  err: string
}

/** Longer than the slowest client needs for its start and its retries on a busy machine. */
const DEADLINE_MS = 240_000

/** A folder of work, and the home folder of a client, which it fills at its first start. */
export class Workspace {
  readonly work = mkdtempSync(join(tmpdir(), 'mosaic-work-'))

  constructor(readonly home: string) {}

  /** Writes a file of work, and returns its path. */
  add(name: string, content: string | Buffer): string {
    const path = join(this.work, name)
    writeFileSync(path, content)
    return path
  }

  /** Starts a client here. */
  start({ program, args, env }: Command): RunningClient {
    return new RunningClient(
      spawn(program, args, {
        cwd: this.work,
        env: { PATH: process.env.PATH, HOME: this.home, TERM: 'dumb', NO_COLOR: '1', ...env },
        stdio: ['ignore', 'pipe', 'pipe'],
        detached: true,
      })
    )
  }

  remove(): void {
    rmSync(this.work, { recursive: true, force: true, maxRetries: 5 })
  }
}

/** A client at work. */
export class RunningClient {
  readonly #process: ChildProcess
  readonly #ended: Promise<Ended>

  constructor(child: ChildProcess) {
    this.#process = child
    const said = { out: '', err: '' }
    child.stdout!.on('data', (chunk) => (said.out += chunk))
    child.stderr!.on('data', (chunk) => (said.err += chunk))
    this.#ended = once(child, 'close').then(([code]) => ({ code, ...said }))
  }

  /** Resolves once the program has ended; kills it at the deadline. */
  async ended(): Promise<Ended> {
    const timer = setTimeout(() => this.stop('SIGKILL'), DEADLINE_MS)
    return this.#ended.finally(() => clearTimeout(timer))
  }

  /** Signals the client and those of its processes that still run. */
  stop(signal: NodeJS.Signals): void {
    try {
      process.kill(-this.#process.pid!, signal)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
    }
  }
}
