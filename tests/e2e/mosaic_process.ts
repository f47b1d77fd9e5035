import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { randomBytes } from 'node:crypto'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import app from '@adonisjs/core/services/app'
import { freePort } from '#tests/free_port'
import { SERVER_FLAGS } from '../../bin/server_flags.mjs'

const START_DEADLINE_MS = 60_000
const STOP_DEADLINE_MS = 30_000
/** A killed Mosaic's leases expire in a sixth of this. */
const LEASE_DEADLINE_MS = 60_000
const COMMAND_DEADLINE_MS = 120_000
const ASK_EVERY_MS = 100
const SERVER = 'build/bin/server.js'
const MAY_RUN = "select 1 from user_containers where status not in ('stopped', 'error')"

export interface Ended {
  code: number | null
  out: string
  err: string
}

type Env = Record<string, string | undefined>

/**
 * A Mosaic as an operator runs it: the production build, as a separate process with its own database, key,
 * ports and storage folder. Tests use it only from outside.
 */
export class MosaicProcess {
  /** Contains everything that it writes. */
  readonly folder = mkdtempSync(join(tmpdir(), 'mosaic-e2e-'))
  readonly storage = join(this.folder, 'storage')
  readonly databaseFile = join(this.folder, 'mosaic.sqlite3')
  readonly secretKey = randomBytes(32).toString('base64url')

  /** Standard output and standard error since its first start. */
  log = ''

  #child: ChildProcess | null = null
  #env: Env = {}

  /**
   * @param cwd Working directory; by default the folder that contains `storage/openclaw`.
   * @param root Folder of the product.
   */
  constructor(
    readonly cwd = app.makePath(),
    readonly root = app.makePath()
  ) {
    if (!existsSync(join(root, SERVER))) {
      throw new Error('There is no build to test: run "npm run build" first.')
    }
    /** Agents run as separate users and must be able to traverse to their folders. */
    chmodSync(this.folder, 0o755)
    mkdirSync(this.storage, { mode: 0o755 })
  }

  get url(): string {
    return `http://127.0.0.1:${this.#env.PORT}`
  }

  get pid(): number {
    return this.#child!.pid!
  }

  /** Returns the setup link that it printed. */
  get setupLink(): string {
    const link = /http:\S+\/onboarding\?token=\S+/.exec(this.log)?.[0]
    if (!link) throw new Error(`No setup link was printed:\n${this.log}`)
    return link
  }

  /** Assigns free ports and sets additional variables. Undefined removes a variable. */
  async prepare(env: Env = {}): Promise<void> {
    this.#env = {
      PATH: process.env.PATH,
      HOME: process.env.HOME,
      TMPDIR: process.env.TMPDIR,
      NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE,
      NODE_ENV: 'production',
      HOST: '127.0.0.1',
      PORT: String(await freePort()),
      INTERNAL_HOST: '127.0.0.1',
      INTERNAL_PORT: String(await freePort()),
      DATABASE_URL: `sqlite:${this.databaseFile}`,
      MOSAIC_SECRET_KEY: this.secretKey,
      STORAGE_PATH: this.storage,
      ...env,
    }
  }

  /** Resolves once it responds. */
  async start(): Promise<void> {
    const child = this.#spawn(SERVER)
    this.#child = child
    child.stdout!.on('data', (chunk) => (this.log += chunk))
    child.stderr!.on('data', (chunk) => (this.log += chunk))

    const deadline = Date.now() + START_DEADLINE_MS
    while (!(await isLive(this.url))) {
      if (child.exitCode !== null || Date.now() > deadline) {
        throw new Error(`Mosaic did not start:\n${this.log}`)
      }
      await new Promise((resolve) => setTimeout(resolve, ASK_EVERY_MS))
    }
  }

  /** Starts it where it must fail, and returns its output and status. */
  async startInVain(): Promise<Ended> {
    this.#child = this.#spawn(SERVER)
    return finished(this.#child, START_DEADLINE_MS)
  }

  /** Signals the process that was started last. */
  signal(signal: NodeJS.Signals): void {
    this.#child!.kill(signal)
  }

  /** Runs one of its commands beside it. */
  async ace(...args: string[]): Promise<Ended> {
    return finished(this.#spawn('build/ace.js', args), COMMAND_DEADLINE_MS)
  }

  /** As `ace`; returns the object that `--json` prints. */
  async aceJson<Result>(...args: string[]): Promise<Result> {
    const { code, out, err } = await this.ace(...args, '--json')
    if (code !== 0) throw new Error(`${args.join(' ')} ended with ${code}:\n${out}${err}`)
    return JSON.parse(out) as Result
  }

  /** Stops it and its agents, and removes its files. */
  async end(): Promise<void> {
    await this.stopAll()
    rmSync(this.folder, { recursive: true, force: true, maxRetries: 5 })
  }

  /**
   * Stops it and its agents. An agent may be skipped at first: its start was cut short, or a Mosaic that was killed
   * still holds its lease or has a request in flight.
   */
  async stopAll(): Promise<void> {
    await this.stop()
    const deadline = Date.now() + LEASE_DEADLINE_MS
    while (this.#hasAgents()) {
      const { out, err } = await this.ace('fleet:sleep', '--json')
      if (!this.#hasAgents()) return
      /** The run names what is left over, and this is why. */
      if (Date.now() > deadline) return console.error(`Agents were not put to sleep: ${out}${err}`)
      await this.ace('fleet:reconcile')
    }
  }

  /** Whether its own database, if that is a file, has a user's agent that may run. */
  #hasAgents(): boolean {
    if (!existsSync(this.databaseFile)) return false
    const database = new DatabaseSync(this.databaseFile, { readOnly: true })
    try {
      return database.prepare(MAY_RUN).get() !== undefined
    } catch {
      return false // It failed before it made its tables.
    } finally {
      database.close()
    }
  }

  /** Stops only the web process: agents outlive it. */
  async stop(): Promise<void> {
    const child = this.#child
    if (!child || child.exitCode !== null || child.signalCode !== null) return
    const exit = once(child, 'exit')
    child.kill('SIGTERM')
    const timer = setTimeout(() => child.kill('SIGKILL'), STOP_DEADLINE_MS)
    await exit
    clearTimeout(timer)
  }

  #spawn(script: string, args: string[] = []): ChildProcess {
    /** As `npm start` runs it. */
    const flags = script === SERVER ? SERVER_FLAGS : []
    return spawn(process.execPath, [...flags, join(this.root, script), ...args], {
      cwd: this.cwd,
      env: this.#env as NodeJS.ProcessEnv,
      stdio: ['ignore', 'pipe', 'pipe'],
    })
  }
}

async function finished(child: ChildProcess, deadlineMs: number): Promise<Ended> {
  const ended: Ended = { code: null, out: '', err: '' }
  child.stdout!.on('data', (chunk) => (ended.out += chunk))
  child.stderr!.on('data', (chunk) => (ended.err += chunk))
  const timer = setTimeout(() => child.kill('SIGKILL'), deadlineMs)
  const [code] = await once(child, 'close')
  clearTimeout(timer)
  return { ...ended, code }
}

async function isLive(url: string): Promise<boolean> {
  const answer = await fetch(`${url}/health/live`).catch(() => null)
  return answer?.ok ?? false
}
