/**
 * A Docker engine of the tests' own, or Podman in its place, from nothing: its programs are installed where that is allowed, it
 * runs in namespaces of its own below a temporary folder, and all of it is gone at the end, even when
 * whoever started it was killed. It never sees an engine that the machine has.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, lstatSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { command } from '../../bin/setup/command.mjs'
import { SetupFailure } from '../../bin/setup/failure.mjs'
import { enginePrograms } from './programs.mjs'

const READY_DEADLINE_MS = 60_000

/** What it wrote is removed meanwhile, from a disk that may be busy. */
const END_DEADLINE_MS = 120_000

const fileHere = (name) => fileURLToPath(new URL(name, import.meta.url))

const PREFIX = 'mosaic-engine-'

export class PrivateEngine {
  #kind
  #guard
  #folder

  /** @param {'docker' | 'podman'} kind */
  constructor(kind = 'docker') {
    this.#kind = kind
  }

  /** @throws SetupFailure */
  async start() {
    const init = await enginePrograms(this.#kind)
    await clearAbandoned()
    /** Not below the run's own folder: the path of a socket has little room. */
    this.#folder = mkdtempSync(join(tmpdir(), PREFIX))
    const cgroup = basename(this.#folder)
    const supervisor = [
      process.execPath,
      fileHere('supervisor.mjs'),
      this.#kind,
      this.#folder,
      cgroup,
    ]
    // In a session of its own: a terminal's interrupt is for the run, which then ends the engine.
    this.#guard = spawn(
      'sh',
      [fileHere('guard.sh'), this.#folder, cgroup, init, '--', ...supervisor],
      { stdio: ['pipe', 'pipe', 'pipe'], detached: true }
    )
    this.#guard.stdin.on('error', () => {})
    let said = ''
    this.#guard.stderr.on('data', (data) => (said += data))

    const timer = setTimeout(() => this.#guard.stdin.end(), READY_DEADLINE_MS)
    const ended = once(this.#guard, 'exit').then(() => 'ended')
    const outcome = await Promise.race([once(this.#guard.stdout, 'data'), ended])
    clearTimeout(timer)
    if (outcome === 'ended') {
      throw new SetupFailure(
        `An engine (${this.#kind}) could not be started for the tests:\n${said.trim()}`,
        'Name an engine that may be used with MOSAIC_TEST_DOCKER_HOST, as unix:///var/run/docker.sock.'
      )
    }
  }

  /** What a suite needs to use it. */
  get env() {
    return {
      MOSAIC_TEST_DOCKER_HOST: `unix://${join(this.#folder, 'docker.sock')}`,
      MOSAIC_TEST_DOCKER_CONTROL: join(this.#folder, 'control.sock'),
      MOSAIC_TEST_DOCKER_PROC: `/proc/${this.#initPid}/root/proc`,
      MOSAIC_TEST_DOCKER_TLS: join(this.#folder, 'tls'),
    }
  }

  /** Where the two halves of a way out of its network meet: a socket. */
  get wayOut() {
    return join(this.#folder, 'way_out.sock')
  }

  /** The words before a command that make it run where containers can be reached by address. */
  get inside() {
    return ['nsenter', `--net=/proc/${this.#initPid}/ns/net`, '--']
  }

  /** As `inside`, in all namespaces of the engine. */
  get within() {
    const all = ['net', 'mount', 'pid'].map((kind) => {
      const file = kind === 'mount' ? 'mnt' : kind
      return `--${kind}=/proc/${this.#initPid}/ns/${file}`
    })
    return ['nsenter', ...all, '--']
  }

  /** The process that everything in it descends from. */
  get pid() {
    return this.#guard.pid
  }

  get #initPid() {
    return readFileSync(join(this.#folder, 'init.pid'), 'utf8').trim()
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

/** Anyone may make a folder of such a name: what is in it is not read, and its name goes into no command. */
function isOwnFolder(path) {
  const found = lstatSync(path, { throwIfNoEntry: false })
  return found?.isDirectory() && found.uid === process.getuid()
}

/** Whoever kills the guard itself ends the engine with it; its folder and control groups stay behind. */
async function clearAbandoned() {
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
