/**
 * Keeps one Docker engine in the namespaces that `guard.sh` made. Says `ready` on standard output, ends
 * when standard input is closed, and kills or starts the engine for tests that ask for it: `POST /kill`
 * and `POST /start` on `<folder>/control.sock`, answered with 204 once it is so.
 *
 * Usage: node supervisor.mjs <folder> <cgroup>
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { openSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, request } from 'node:http'
import { join } from 'node:path'
import { setTimeout as after } from 'node:timers/promises'
import { makeCertificates } from './certificates.mjs'

/** An engine is ready in under a second; one on a busy machine has been seen to take five. */
const READY_DEADLINE_MS = 30_000
const ASK_EVERY_MS = 50

/** Lines of the engine's log that are shown when it does not start. */
const SHOWN_LINES = 20

/** The default bridge, in a range that neither tests nor Docker's own pools use. */
const BRIDGE_ADDRESS = '172.31.250.1/24'

/** Where it is reached behind TLS as well: in a network of its own, any port is free. */
const TLS_ADDRESS = '127.0.0.1'
const TLS_PORT = 2376

const [folder, cgroup] = process.argv.slice(2)
const socket = join(folder, 'docker.sock')
const logFile = join(folder, 'dockerd.log')
const log = openSync(logFile, 'a')
let engine = null

/** The settings of the machine's own engine, in /etc/docker, are none of ours. */
const config = join(folder, 'daemon.json')
writeFileSync(config, '{}')

const tls = join(folder, 'tls')
const certificate = (name) => join(tls, 'engine', name)

async function start() {
  if (engine) return
  // The engine refuses to start beside a process that happens to have the number of its predecessor.
  rmSync(join(folder, 'dockerd.pid'), { force: true })
  const child = spawn(
    'dockerd',
    [
      ['--config-file', config],
      ['--data-root', join(folder, 'data')],
      ['--exec-root', join(folder, 'exec')],
      ['--pidfile', join(folder, 'dockerd.pid')],
      ['--host', `unix://${socket}`],
      ['--host', `tcp://${TLS_ADDRESS}:${TLS_PORT}`],
      ['--tlsverify', '--tlscacert', certificate('ca.pem')],
      ['--tlscert', certificate('cert.pem'), '--tlskey', certificate('key.pem')],
      ['--bip', BRIDGE_ADDRESS],
      ['--cgroup-parent', `/${cgroup}`],
      ['--exec-opt', 'native.cgroupdriver=cgroupfs'],
      ['--log-level', 'warn'],
    ].flat(),
    { stdio: ['ignore', log, log] }
  )
  engine = child
  child.once('error', (error) => fail(`dockerd could not be started: ${error.message}`))
  child.once('exit', () => {
    if (engine === child) engine = null
  })

  const deadline = Date.now() + READY_DEADLINE_MS
  while (!(await answers())) {
    if (engine !== child) throw new Error('dockerd ended')
    if (Date.now() > deadline) throw new Error('dockerd was not ready in time')
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
await makeCertificates(tls, TLS_ADDRESS)
  .then(start)
  .catch((error) => fail(error.message))
createServer(async (asked, response) => {
  const verb = VERBS[`${asked.method} ${asked.url}`]
  const failure = verb ? await verb().catch((error) => error) : new Error('unknown verb')
  response.writeHead(failure ? 500 : 204).end(failure?.message)
}).listen(join(folder, 'control.sock'), () => console.log('ready'))
