import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { createWriteStream, renameSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { SERVER_FLAGS } from '../server_flags.mjs'
import { ROOT, node24 } from './node24.mjs'
import { SetupFailure } from './failure.mjs'
import { withoutSharedCache } from './shared_cache.mjs'

/** Deadline for the server's first answer. A busy machine takes five seconds. */
const START_DEADLINE_MS = 60_000
const ASK_EVERY_MS = 100

/** Above this size the log moves to `mosaic.log.1`, replacing the previous one. */
const LOG_LIMIT_BYTES = 10 * 1024 * 1024

/** Log level in the JSON lines. */
const WARN = 40

/** Identifies the link that claims a new installation. */
const SETUP_PATH = '/onboarding?token='

/**
 * The web process as a child: its log goes to a file, lines for people to the terminal. Forwards signals;
 * `ended` resolves with the exit status to use.
 */
export class MosaicServer {
  #child
  #env
  #terminal
  #log
  #outputTail = []
  #stopping = false

  /** The link that claims a new installation; null once it is claimed. */
  setupLink = null

  /** @type {Promise<number>} */
  ended

  constructor({ env, storage, terminal }) {
    this.#env = env
    this.#terminal = terminal
    this.logFile = join(storage, 'mosaic.log')
  }

  get url() {
    const host = ['0.0.0.0', '::'].includes(this.#env.HOST) ? 'localhost' : this.#env.HOST
    return `http://${host.includes(':') ? `[${host}]` : host}:${this.#env.PORT}`
  }

  /** @returns {Promise<string>} The URL, once it answers there. */
  async start() {
    this.#openLog()
    /** In its own process group, so that Ctrl-C reaches it only once, through this process. */
    this.#child = spawn(node24(), [...SERVER_FLAGS, 'build/bin/server.js'], {
      cwd: ROOT,
      env: withoutSharedCache(this.#env),
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    })
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
      process.on(signal, () => {
        this.#stopping = true
        this.#child.kill('SIGTERM')
      })
    }
    createInterface({ input: this.#child.stdout }).on('line', (line) => this.#read(line))
    createInterface({ input: this.#child.stderr }).on('line', (line) => this.#read(line))

    this.ended = new Promise((resolve, reject) => {
      this.#child.once('error', reject)
      this.#child.once('close', (code) => resolve(this.#stopping ? 0 : (code ?? 1)))
    })
    await Promise.race([this.#answers(), this.ended])
    if (this.#child.exitCode === null && this.#child.signalCode === null) return this.url

    throw this.#stopping
      ? new SetupFailure('Stopped.')
      : new SetupFailure(
          `The server ended as it started:\n${this.#outputTail.join('\n')}`,
          `The whole log is in ${this.logFile}.`
        )
  }

  /** Stops the server, then throws the given error. */
  async stop(error) {
    this.#child.kill('SIGTERM')
    await this.ended
    throw error
  }

  async #answers() {
    const deadline = Date.now() + START_DEADLINE_MS
    while (Date.now() < deadline) {
      const answer = await fetch(`${this.url}/health/live`).catch(() => null)
      if (answer?.ok) return
      await new Promise((resolve) => setTimeout(resolve, ASK_EVERY_MS))
    }
    this.#child.kill('SIGKILL')
    throw new SetupFailure('The server did not answer within a minute.', `See ${this.logFile}.`)
  }

  /** Log lines are JSON; anything else is meant for a person. */
  #read(line) {
    const link = line.split(' ').find((word) => isSetupLink(word))
    if (link) {
      this.setupLink = link
      return
    }
    this.#log.write(`${line}\n`)
    if (!line.trim()) return

    this.#outputTail = [...this.#outputTail, line].slice(-20)
    const entry = parsed(line)
    if (entry && entry.level >= WARN) {
      this.#terminal.line(`  ${entry.level > WARN ? 'error' : 'warning'}: ${entry.msg}`)
    }
  }

  #openLog() {
    const size = statSync(this.logFile, { throwIfNoEntry: false })?.size ?? 0
    if (size > LOG_LIMIT_BYTES) renameSync(this.logFile, `${this.logFile}.1`)
    this.#log = createWriteStream(this.logFile, { flags: 'a', mode: 0o600 })
  }
}

function parsed(line) {
  try {
    return JSON.parse(line)
  } catch {
    return null
  }
}

function isSetupLink(word) {
  return word.startsWith('http') && word.includes(SETUP_PATH)
}
