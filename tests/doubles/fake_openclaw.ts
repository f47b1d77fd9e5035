import { stripTypeScriptTypes } from 'node:module'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

/** What the document may tell the double to do, under the key `fake`. */
export interface FakeBehaviour {
  /** Ends at once with this exit code. */
  exitCode?: number
  /** Does not end when it is asked to. */
  stubborn?: boolean
  /** Starts a process that leaves the group, as a shell of an agent may. */
  escape?: boolean
  /** Paths that it tries to read or list; what it got is in its log as `read <path>: <result>`. */
  read?: string[]
  /** Writes this text to its log, this many times. */
  print?: { text: string; times: number }
}

const MAIN = `
import { readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { spawn } from 'node:child_process'
import { createServer } from 'node:http'
import { MemoryGateway } from './gateway.mjs'

const state = process.env.OPENCLAW_STATE_DIR
const { fake = {} } = JSON.parse(readFileSync(process.env.OPENCLAW_CONFIG_PATH, 'utf8'))
const { token } = JSON.parse(readFileSync(process.env.MOSAIC_SECRETS_FILE, 'utf8'))
const port = Number(process.argv[process.argv.indexOf('--port') + 1])

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

/** Every message is on the disk before it is answered. */
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

const gateway = new MemoryGateway({
  token,
  sessions,
  faults: {},
  now: Date.now,
  log: (line) => console.error(line),
  crash: () => process.exit(1),
})
await gateway.start(port)
console.error('gateway listens on ' + port)
process.on('SIGTERM', () => {
  if (!fake.stubborn) process.exit(0)
})
`

/**
 * Installs a double of OpenClaw that starts within a tenth of a second: the gateway of the memory
 * driver, as a package that the launcher starts like the real one.
 *
 * @returns the package folder
 */
export async function installFakeOpenclaw(folder: string): Promise<string> {
  const path = join(folder, 'node_modules', 'openclaw')
  await mkdir(path, { recursive: true })
  const manifest = { name: 'openclaw', version: '0.0.0', type: 'module' }
  await writeFile(join(path, 'package.json'), JSON.stringify(manifest))
  await writeFile(join(path, 'openclaw.mjs'), MAIN.trimStart())
  // Node does not strip types below node_modules.
  const gateway = new URL('../../app/runtimes/drivers/memory_gateway.ts', import.meta.url)
  await writeFile(join(path, 'gateway.mjs'), stripTypeScriptTypes(await readFile(gateway, 'utf8')))
  return path
}
