import { stripTypeScriptTypes } from 'node:module'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { extname, join } from 'node:path'

/** Instructions for the double, under the document's key `fake`. */
export interface FakeBehaviour {
  /** Exits at once with this code. */
  exitCode?: number
  /** Ignores requests to stop. */
  stubborn?: boolean
  /** Starts a process that leaves the group, as an agent's shell may. */
  escape?: boolean
  /** Paths that it tries to read or list; logs each result as `read <path>: <result>`. */
  read?: string[]
  /** Writes this text to its log, this many times. */
  print?: { text: string; times: number }
}

/**
 * Commands of tests, at the gateway's own address:
 * - `POST /faults` with `MemoryFaults`: how its chats misbehave from now on;
 * - `POST /crash`: exits at once with status 1;
 * - `POST /hog` with `{ megabytes }`: allocates that much memory and keeps it;
 * - `POST /connect` with `{ host, port }`: answers `{ result }`, as `connected`, `ECONNREFUSED`, `timeout`;
 * - `POST /run` with `{ command }`: runs it in a shell, like an agent's tools; answers `{ code, output }`.
 */
const MAIN = `
import { readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { spawn, spawnSync } from 'node:child_process'
import { connect } from 'node:net'
import { MemoryGateway } from './gateway.mjs'

const state = process.env.OPENCLAW_STATE_DIR
const { fake = {} } = JSON.parse(readFileSync(process.env.OPENCLAW_CONFIG_PATH, 'utf8'))
const { token } = JSON.parse(readFileSync(process.env.MOSAIC_SECRETS_FILE, 'utf8'))
const flag = (name) => process.argv[process.argv.indexOf(name) + 1]
const port = Number(flag('--port'))
const lan = flag('--bind') === 'lan'
const host = lan ? '0.0.0.0' : '127.0.0.1'
const faults = {}

for (const path of fake.read ?? []) console.error('read ' + path + ': ' + attempt(path))
for (let i = 0; i < (fake.print?.times ?? 0); i++) console.error(fake.print.text)
if (fake.exitCode !== undefined) process.exit(fake.exitCode)
if (fake.escape) {
  const child = spawn('sleep', ['600'], { detached: true, stdio: 'ignore' })
  child.unref()
  console.error('escaped ' + child.pid)
}

function attempt(path) {
  try {
    return statSync(path).isDirectory() ? readdirSync(path).length + ' entries' : readFileSync(path).length + ' bytes'
  } catch (error) {
    return error.code
  }
}

/** Writes every message to disk before it is answered. */
class KeptSessions extends Map {
  set(key, list) {
    list.push = (...messages) => {
      const length = Array.prototype.push.apply(list, messages)
      this.save()
      return length
    }
    return super.set(key, list)
  }

  save() {
    writeFileSync(state + '/sessions.json', JSON.stringify([...this]))
  }
}

const sessions = new KeptSessions()
try {
  for (const [key, list] of JSON.parse(readFileSync(state + '/sessions.json', 'utf8'))) sessions.set(key, list)
} catch (error) {
  if (error.code !== 'ENOENT') throw error
}

const kept = []
const KNOBS = {
  '/faults': (asked) => Object.assign(faults, asked),
  '/crash': () => process.exit(1),
  '/hog': ({ megabytes }) => {
    for (let i = 0; i < megabytes; i++) kept.push(Buffer.alloc(2 ** 20, 1))
    return {}
  },
  '/connect': ({ host, port }) =>
    new Promise((resolve) => {
      const socket = connect({ host, port, timeout: 1500 })
      const tell = (result) => () => (socket.destroy(), resolve({ result }))
      socket.once('connect', tell('connected')).once('timeout', tell('timeout'))
      socket.once('error', ({ code }) => tell(code)())
    }),
  '/run': ({ command }) => {
    const { status, stdout, stderr } = spawnSync('sh', ['-c', command], { encoding: 'utf8' })
    return { code: status, output: stdout + stderr }
  },
}
const gateway = new MemoryGateway({
  token,
  sessions,
  faults,
  now: Date.now,
  log: (line) => console.error(line),
  crash: () => process.exit(1),
  knobs: KNOBS,
})
await gateway.start(port, host)
console.error('gateway listens on ' + port)
process.on('SIGTERM', () => {
  if (!fake.stubborn) process.exit(0)
})
`

/**
 * Installs a double of OpenClaw that starts within a tenth of a second: the memory driver's gateway, as a
 * package that the launcher starts like the real one.
 *
 * @returns the package folder
 */
export async function installFakeOpenclaw(folder: string): Promise<string> {
  const path = join(folder, 'node_modules', 'openclaw')
  await mkdir(path, { recursive: true })
  const manifest = { name: 'openclaw', version: '0.0.0', type: 'module' }
  await writeFile(join(path, 'package.json'), JSON.stringify(manifest))
  await writeFile(join(path, 'openclaw.mjs'), MAIN.trimStart())
  for (const name of ['gateway', 'control']) {
    const source = sources.get(name) ?? plainSource(name)
    sources.set(name, source)
    await writeFile(join(path, `${name}.mjs`), await source)
  }
  return path
}

/** The double's modules as plain JavaScript, by name: removing types takes longer than a start. */
const sources = new Map<string, Promise<string>>()

/**
 * Node does not strip types below node_modules and does not know the app's import aliases there. In the plugin
 * kit the doubles are already JavaScript, beside each other.
 */
async function plainSource(name: string): Promise<string> {
  const kind = extname(import.meta.url)
  const source = new URL(`./memory_runtime/${name}${kind}`, import.meta.url)
  const text = await readFile(source, 'utf8')
  const plain = kind === '.ts' ? stripTypeScriptTypes(text) : text
  return plain.replaceAll(/'(?:#tests\/doubles\/memory_runtime|\.)\/(\w+)(?:\.js)?'/g, "'./$1.mjs'")
}
