/**
 * Keeps one engine, Docker's or Podman's, in the namespaces that `guard.sh` made. Says `ready` on standard
 * output, ends when standard input is closed, and kills or starts the engine for tests that ask for it:
 * `POST /kill` and `POST /start` on `<folder>/control.sock`, answered with 204 once it is so.
 *
 * Usage: node supervisor.mjs <docker|podman> <folder> <cgroup>
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { openSync, readFileSync, rmSync } from 'node:fs'
import { createServer, request } from 'node:http'
import { join } from 'node:path'
import { setTimeout as after } from 'node:timers/promises'
import * as dockerDaemon from './docker_daemon.mjs'
import * as podmanService from './podman_service.mjs'

/** An engine is ready in under a second; one on a busy machine has been seen to take five. */
const READY_DEADLINE_MS = 30_000
const ASK_EVERY_MS = 50

/** Lines of the engine's log that are shown when it does not start. */
const SHOWN_LINES = 20

const ENGINES = { docker: dockerDaemon, podman: podmanService }

const [kind, folder, cgroup] = process.argv.slice(2)
const { prepare, words } = ENGINES[kind]
const socket = join(folder, 'docker.sock')
const logFile = join(folder, 'engine.log')
const log = openSync(logFile, 'a')
let engine = null

async function start() {
  if (engine) return
  // The engine refuses to start beside a process that happens to have the number of its predecessor.
  rmSync(join(folder, 'dockerd.pid'), { force: true })
  const [program, ...args] = words(folder, socket, cgroup)
  // What watches a container of Podman writes into the folder that the service was started in.
  const child = spawn(program, args, { cwd: folder, stdio: ['ignore', log, log] })
  engine = child
  child.once('error', (error) => fail(`${kind} could not be started: ${error.message}`))
  child.once('exit', () => {
    if (engine === child) engine = null
  })

  const deadline = Date.now() + READY_DEADLINE_MS
  while (!(await answers())) {
    if (engine !== child) throw new Error(`${kind} ended`)
    if (Date.now() > deadline) throw new Error(`${kind} was not ready in time`)
    await after(ASK_EVERY_MS)
  }
}

/** As when the machine runs out of memory: it gets to say goodbye to nobody. */
async function kill() {
  if (!engine) return
  const ended = once(engine, 'exit')
  engine.kill('SIGKILL')
  await ended
}

function answers() {
  return new Promise((resolve) => {
    const ping = request({ socketPath: socket, path: '/_ping', timeout: 1000 }, (response) => {
      response.resume()
      resolve(response.statusCode === 200)
    })
    ping.on('error', () => resolve(false)).on('timeout', () => ping.destroy())
    ping.end()
  })
}

function fail(message) {
  const lines = readFileSync(logFile, 'utf8').trim().split('\n').slice(-SHOWN_LINES)
  console.error([message, ...lines].join('\n'))
  process.exit(1)
}

const VERBS = { 'POST /start': start, 'POST /kill': kill }

process.stdin.resume().once('end', () => process.exit(0))
await prepare(folder)
  .then(start)
  .catch((error) => fail(error.message))
createServer(async (asked, response) => {
  const verb = VERBS[`${asked.method} ${asked.url}`]
  const failure = verb ? await verb().catch((error) => error) : new Error('unknown verb')
  response.writeHead(failure ? 500 : 204).end(failure?.message)
}).listen(join(folder, 'control.sock'), () => console.log('ready'))
