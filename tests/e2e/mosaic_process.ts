import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { randomBytes } from 'node:crypto'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import app from '@adonisjs/core/services/app'

const START_DEADLINE_MS = 60_000
const STOP_DEADLINE_MS = 30_000
const COMMAND_DEADLINE_MS = 120_000
const ASK_EVERY_MS = 100

export interface Ended {
  code: number | null
  out: string
  err: string
}

type Env = Record<string, string | undefined>

/**
 * A Mosaic as an operator runs it: the build, in production, as a process of its own with a database, a
 * key, ports and a storage folder that nothing else uses. Tests reach it from outside alone.
 */
export class MosaicProcess {
  /** Everything that it writes lies below. */
  readonly folder = mkdtempSync(join(tmpdir(), 'mosaic-e2e-'))
  readonly storage = join(this.folder, 'storage')
  readonly databaseFile = join(this.folder, 'mosaic.sqlite3')
  readonly secretKey = randomBytes(32).toString('base64url')

  /** All that it wrote to standard output and standard error since its first start. */
  log = ''

  #child: ChildProcess | null = null
  #env: Env = {}

  /**
   * @param cwd From where it is started: the folder that holds `storage/openclaw`, unless told.
   * @param root The folder of the product.
   */
  constructor(
    readonly cwd = app.makePath(),
    readonly root = app.makePath()
  ) {
    if (!existsSync(join(root, 'build/bin/server.js'))) {
      throw new Error('There is no build to test: run "npm run build" first.')
    }
    /** Agents run as users of their own, and must get through to their folders. */
    chmodSync(this.folder, 0o755)
    mkdirSync(this.storage, { mode: 0o755 })
  }

  get url(): string {
    return `http://127.0.0.1:${this.#env.PORT}`
  }

  get pid(): number {
    return this.#child!.pid!
  }

  /** The link that it printed for whoever sets it up. */
  get setupLink(): string {
    const link = /http:\S+\/onboarding\?token=\S+/.exec(this.log)?.[0]
    if (!link) throw new Error(`No setup link was printed:\n${this.log}`)
    return link
  }

  /** Gives it free ports, and what it is started with beside them. Undefined takes a variable away. */
  async prepare(env: Env = {}): Promise<void> {
    this.#env = {
      PATH: process.env.PATH,
      HOME: process.env.HOME,
      TMPDIR: process.env.TMPDIR,
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

  /** Resolves once it answers. */
  async start(): Promise<void> {
    const child = this.#spawn(['build/bin/server.js'])
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

  /** Starts it where it must not come up, and gives what it said as it ended. */
  async startInVain(): Promise<Ended> {
    this.#child = this.#spawn(['build/bin/server.js'])
    return finished(this.#child, START_DEADLINE_MS)
  }

  /** Tells the process that was started last. */
  signal(signal: NodeJS.Signals): void {
    this.#child!.kill(signal)
  }

  /** Runs one of its commands beside it. */
  async ace(...args: string[]): Promise<Ended> {
    return finished(this.#spawn(['build/ace.js', ...args]), COMMAND_DEADLINE_MS)
  }

  /** As `ace`, and gives the object that `--json` prints. */
  async aceJson<Result>(...args: string[]): Promise<Result> {
    const { code, out, err } = await this.ace(...args, '--json')
    if (code !== 0) throw new Error(`${args.join(' ')} ended with ${code}:\n${out}${err}`)
    return JSON.parse(out) as Result
  }

  /** Ends it and its agents, and removes what it wrote. */
  async end(): Promise<void> {
    await this.stopAll()
    rmSync(this.folder, { recursive: true, force: true, maxRetries: 5 })
  }

  /** Ends it and its agents. */
  async stopAll(): Promise<void> {
    await this.stop()
    if (existsSync(this.databaseFile)) await this.ace('fleet:sleep', '--json')
  }

  /** Ends the web process alone: agents outlive it. */
  async stop(): Promise<void> {
    const child = this.#child
    if (!child || child.exitCode !== null || child.signalCode !== null) return
    const exit = once(child, 'exit')
    child.kill('SIGTERM')
    const timer = setTimeout(() => child.kill('SIGKILL'), STOP_DEADLINE_MS)
    await exit
    clearTimeout(timer)
  }

  #spawn(args: string[]): ChildProcess {
    const [script, ...rest] = args
    return spawn(process.execPath, [join(this.root, script), ...rest], {
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

/** A port of loopback that nothing listens on. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}
