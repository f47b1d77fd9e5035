/**
 * A program in namespaces of its own, by `guard.sh`: what it starts, mounts and writes below its folder is gone
 * when it ends, even if the process that started it is killed.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, lstatSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { command } from '../../bin/setup/command.mjs'

const READY_DEADLINE_MS = 60_000

/** Includes removing what it wrote, on a disk that may be busy. */
const END_DEADLINE_MS = 120_000

const GUARD = fileURLToPath(new URL('guard.sh', import.meta.url))
const PREFIX = 'mosaic-engine-'

export class Namespaces {
  #guard
  /** Not below the run's own folder: the path of a socket has little room. */
  folder = mkdtempSync(join(tmpdir(), PREFIX))

  /** The name of the control group below which it puts its containers. */
  get cgroup() {
    return basename(this.folder)
  }

  /**
   * Starts the program and resolves with its first output; it must end when its standard input is closed.
   *
   * @param {string[]} words The program and its arguments.
   * @param {Record<string, string>} env
   * @throws {Error} With what it wrote to standard error, if it ends before.
   */
  async start(words, env = {}) {
    // In a session of its own: a terminal's interrupt is for the run, which then ends the program.
    this.#guard = spawn('sh', [GUARD, this.folder, this.cgroup, ...words], {
      stdio: ['pipe', 'pipe', 'pipe'],
      env: { ...process.env, ...env },
      detached: true,
    })
    this.#guard.stdin.on('error', () => {})
    let said = ''
    this.#guard.stderr.on('data', (data) => (said += data))

    const timer = setTimeout(() => this.#guard.stdin.end(), READY_DEADLINE_MS)
    const ended = once(this.#guard, 'exit').then(() => 'ended')
    const outcome = await Promise.race([once(this.#guard.stdout, 'data'), ended])
    clearTimeout(timer)
    if (outcome === 'ended') throw new Error(said.trim())
  }

  /** The words before a command that run it in these namespaces. */
  entering(...kinds) {
    const files = { net: 'net', mount: 'mnt', pid: 'pid' }
    const flags = kinds.map((kind) => `--${kind}=/proc/${this.initPid}/ns/${files[kind]}`)
    /** Entering another mount namespace would leave the present folder. */
    if (kinds.includes('mount')) flags.push(`--wdns=${process.cwd()}`)
    return ['nsenter', ...flags, '--']
  }

  /** The process that everything in them descends from. */
  get pid() {
    return this.#guard.pid
  }

  /** The program itself, as seen from outside. */
  get initPid() {
    return readFileSync(join(this.folder, 'init.pid'), 'utf8').trim()
  }

  async stop() {
    if (!this.#guard || this.#guard.exitCode !== null || this.#guard.signalCode !== null) return
    const ended = once(this.#guard, 'exit')
    this.#guard.stdin.end()
    const timer = setTimeout(() => this.#guard.kill('SIGKILL'), END_DEADLINE_MS)
    await ended
    clearTimeout(timer)
  }
}

/** Killing the guard itself ends the program too, but leaves its folder and control groups behind. */
export async function clearAbandoned() {
  for (const name of readdirSync(tmpdir()).filter((one) => one.startsWith(PREFIX))) {
    const folder = join(tmpdir(), name)
    const pidFile = join(folder, 'init.pid')
    if (!isOwnFolder(folder) || !existsSync(pidFile)) continue
    if (existsSync(`/proc/${readFileSync(pidFile, 'utf8').trim()}`)) continue
    await command('find', [
      '/sys/fs/cgroup',
      '-depth',
      '-path',
      `*/${name}*`,
      '-type',
      'd',
      '-delete',
    ])
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Anyone may make a folder of such a name: what is in it is not read, and its name goes into no command. */
function isOwnFolder(path) {
  const found = lstatSync(path, { throwIfNoEntry: false })
  return found?.isDirectory() && found.uid === process.getuid()
}
