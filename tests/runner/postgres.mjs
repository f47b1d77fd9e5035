/** The tests' own PostgreSQL: a temporary data folder, a free port on loopback, removed at the end. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { randomBytes } from 'node:crypto'
import { chmodSync, chownSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { command } from '../../bin/setup/command.mjs'
import { SetupFailure } from '../../bin/setup/failure.mjs'
import { postgresPrograms } from './system.mjs'

const READY_DEADLINE_MS = 30_000
const ASK_EVERY_MS = 100
const USER = 'mosaic'

/** The data does not outlive the run, so durability is off. */
const FAST = ['fsync=off', 'synchronous_commit=off', 'full_page_writes=off', 'max_connections=200']

/** Stops the server when standard input closes, and therefore also if its parent was killed. */
const GUARD = '"$@" & server=$!; cat > /dev/null; kill -INT "$server"; wait "$server"'

export class PrivatePostgres {
  #child
  #folder
  #pool
  #server
  #password = randomBytes(16).toString('hex')
  #settings

  /** @param {string[]} settings The server's own settings beyond the tests', as `name=value`. */
  constructor(settings = []) {
    this.#settings = [...FAST, ...settings]
  }

  async start() {
    const programs = await postgresPrograms()
    /** Not below the run's own folder, because socket paths have a short limit. */
    this.#folder = mkdtempSync(join(tmpdir(), 'mosaic-pg-'))
    const owner = await unprivileged()
    const passwordFile = join(this.#folder, 'password')
    writeFileSync(passwordFile, this.#password)
    if (owner) {
      chownSync(this.#folder, owner.uid, owner.gid)
      chownSync(passwordFile, owner.uid, owner.gid)
    }
    chmodSync(passwordFile, 0o600)

    const data = join(this.#folder, 'data')
    const how = ['-A', 'scram-sha-256', `--pwfile=${passwordFile}`, '-E', 'UTF8', '--locale=C']
    await command(join(programs, 'initdb'), ['-D', data, '-U', USER, '--no-sync', ...how], {
      ...owner,
      cwd: this.#folder,
      failure: 'The database for the tests could not be made',
    })
    const { default: pg } = await import('pg')
    this.#pool = { pg, port: await freePort() }
    this.#server = { program: join(programs, 'postgres'), data, owner }
    await this.#run()
  }

  /** Closes all connections, stays away for this long, and resolves once back at the same address. */
  async restart(awayMs) {
    this.#child.stdin.end()
    await once(this.#child, 'exit')
    await new Promise((resolve) => setTimeout(resolve, awayMs))
    await this.#run()
  }

  async #run() {
    const { program, data, owner } = this.#server
    const { port } = this.#pool
    const settings = [...this.#settings, `unix_socket_directories=${this.#folder}`].flatMap(
      (pair) => ['-c', pair]
    )
    const args = ['-D', data, '-h', '127.0.0.1', '-p', String(port), ...settings]
    this.#child = spawn('sh', ['-c', GUARD, 'sh', program, ...args], {
      ...owner,
      cwd: this.#folder,
      stdio: ['pipe', 'ignore', 'ignore'],
      detached: true,
    })
    this.#child.stdin.on('error', () => {})

    const deadline = Date.now() + READY_DEADLINE_MS
    for (;;) {
      const failure = await this.#query('SELECT 1').catch((error) => error)
      if (!(failure instanceof Error)) return
      if (Date.now() > deadline) {
        throw new SetupFailure(`The database for the tests did not start: ${failure.message}`)
      }
      await new Promise((resolve) => setTimeout(resolve, ASK_EVERY_MS))
    }
  }

  /** @returns {Promise<string>} The URL of a new, empty database. */
  async newDatabase(name) {
    await this.#query(`CREATE DATABASE ${name}`)
    return this.#url(name)
  }

  /** @returns {string} The same database over its socket, the only way from another network. */
  bySocket(url) {
    return `${url}?host=${encodeURIComponent(this.#folder)}`
  }

  async stop() {
    if (this.#child && this.#child.exitCode === null) {
      this.#child.stdin.end()
      await once(this.#child, 'exit')
    }
    if (this.#folder) rmSync(this.#folder, { recursive: true, force: true })
  }

  /** @returns {Promise<object[]>} The rows that a database answers. */
  async ask(url, sql) {
    return (await this.#query(sql, url)).rows
  }

  async #query(sql, url = this.#url('postgres')) {
    const client = new this.#pool.pg.Client({ connectionString: url })
    client.on('error', () => {})
    try {
      await client.connect()
      return await client.query(sql)
    } finally {
      await client.end().catch(() => {})
    }
  }

  #url(name) {
    return `postgres://${USER}:${this.#password}@127.0.0.1:${this.#pool.port}/${name}`
  }
}

/** PostgreSQL refuses to run as root: uses the package's own user if there is one, else nobody. */
async function unprivileged() {
  if (process.getuid?.() !== 0) return undefined
  for (const name of ['postgres', 'nobody']) {
    const uid = await command('id', ['-u', name]).catch(() => null)
    const gid = await command('id', ['-g', name]).catch(() => null)
    if (uid && gid) return { uid: Number(uid), gid: Number(gid) }
  }
  throw new SetupFailure('PostgreSQL does not run as root, and there is no user "nobody" here.')
}

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address()
  server.close()
  return port
}
