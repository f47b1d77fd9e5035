import { execFileSync, spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import app from '@adonisjs/core/services/app'
import { freePort } from '#tests/free_port'
import { linkFolder } from '#tests/folder_links'

const READY_DEADLINE_MS = 10 * 60_000
const END_DEADLINE_MS = 60_000

/** Paths that this run has made already, by the code that the quickstart uses as well. */
const MADE = ['build', 'storage/openclaw']

/**
 * A clone of this repository as its first user has it, without packages, key or database. It is given the OpenClaw
 * and the build of this run: the quickstart makes either if it is missing or not of the clone's own sources.
 */
export class FreshClone {
  readonly folder = mkdtempSync(join(tmpdir(), 'mosaic-clone-'))
  /** Output of the quickstart. */
  output = ''
  url = ''
  #child: ChildProcess | null = null

  constructor() {
    chmodSync(this.folder, 0o755)
    execFileSync('git', ['clone', '--quiet', app.makePath(), this.folder])
    mkdirSync(join(this.folder, 'storage'))
    for (const path of MADE) linkFolder(app.makePath(path), join(this.folder, path))
  }

  /** Uses the machine's own Node and npm, without this run's additions to PATH. */
  get env(): NodeJS.ProcessEnv {
    const { PATH = '', HOME, TMPDIR } = process.env
    const folders = PATH.split(delimiter).filter((folder) => !folder.includes('node_modules'))
    /** Reuses npm's download cache. */
    return { PATH: folders.join(delimiter), HOME, TMPDIR, npm_config_prefer_offline: 'true' }
  }

  /** Version of the Node that runs everything. */
  get node(): string {
    return execFileSync('node', ['--version'], { env: this.env, encoding: 'utf8' }).trim()
  }

  /** Runs `npm run quickstart` until it says how to stop it. */
  async quickstart(...args: string[]): Promise<void> {
    const [port, internalPort] = [await freePort(), await freePort()]
    this.url = `http://127.0.0.1:${port}`
    this.output = ''
    const child = spawn('npm', ['run', 'quickstart', '--', ...args], {
      cwd: this.folder,
      env: { ...this.env, PORT: String(port), INTERNAL_PORT: String(internalPort) },
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    })
    this.#child = child
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const read = (chunk: Buffer) => {
      this.output += chunk
      if (this.output.includes('Stop: Ctrl-C')) resolve()
    }
    child.stdout!.on('data', read)
    child.stderr!.on('data', read)
    child.once('exit', (code) => reject(new Error(`It ended with ${code}:\n${this.output}`)))
    const timer = setTimeout(
      () => reject(new Error(`It is not ready:\n${this.output}`)),
      READY_DEADLINE_MS
    )
    await promise.finally(() => clearTimeout(timer))
  }

  /** Sends Ctrl-C to the whole process group. Returns the exit status. */
  async interrupt(): Promise<number | null> {
    const child = this.#child!
    const exit = once(child, 'exit', { signal: AbortSignal.timeout(END_DEADLINE_MS) })
    process.kill(-child.pid!, 'SIGINT')
    const [code] = await exit
    return code
  }

  /** Ends remaining processes and removes the clone. */
  remove(): void {
    const child = this.#child
    if (child && child.exitCode === null && child.signalCode === null) {
      process.kill(-child.pid!, 'SIGKILL')
    }
    rmSync(this.folder, { recursive: true, force: true, maxRetries: 5 })
  }
}
