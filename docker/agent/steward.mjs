/**
 * Cares for the data of one agent where it is, as root in a service of the swarm that has only the agent's volume:
 * `/data/state` is the agent's, `/data/aside` what an import replaced, `/data/owner` names the agent.
 *
 * Usage: node steward.mjs <verb> <owner>
 *   prepare  makes the agent's folder, from what is aside if it is missing
 *   keep     deletes what is aside
 *   undo     deletes the agent's folder
 *   purge    deletes everything
 *   export, import  serve one request on port 18789 that has the token of `/run/mosaic/steward.json`
 *
 * Exit codes: 0 done, 3 the data is another's, 4 there is none, any other a failure.
 */
import { spawn } from 'node:child_process'
import { timingSafeEqual } from 'node:crypto'
import { once } from 'node:events'
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { createServer } from 'node:http'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'

const AGENT = 1000
const PORT = 18789
/** Nobody came, or a transfer stood still. */
const IDLE_MS = 60_000

const [verb, owner] = process.argv.slice(2)
const root = process.env.MOSAIC_DATA ?? '/data'
const [state, aside, incoming] = ['state', 'aside', 'incoming'].map((name) => join(root, name))
const [kept, ownerFile] = [join(aside, 'state'), join(root, 'owner')]

const remove = (path) => rmSync(path, { recursive: true, force: true })

function give(path) {
  chownSync(path, AGENT, AGENT)
  chmodSync(path, 0o700)
}

function prepare() {
  mkdirSync(root, { recursive: true })
  // What is another's is left as it is, its modes included.
  const foreign = readdirSync(root).length > 0 && !existsSync(ownerFile)
  if (foreign || (existsSync(ownerFile) && readFileSync(ownerFile, 'utf8') !== owner))
    process.exit(3)
  chownSync(root, 0, 0)
  chmodSync(root, 0o755)
  writeFileSync(ownerFile, owner, { mode: 0o444 })
  remove(incoming)
  if (!existsSync(state) && existsSync(kept)) {
    renameSync(kept, state)
    remove(aside)
  }
  if (!existsSync(state)) mkdirSync(state)
  give(state)
  const lease = join(root, 'lease')
  if (!existsSync(lease)) writeFileSync(lease, 'free\n')
  chownSync(lease, AGENT, AGENT)
}

/** Runs tar as the agent's user, who can reach nothing outside `folder`. */
function tar(folder, args, stdio) {
  const child = spawn('tar', args, { cwd: folder, uid: AGENT, gid: AGENT, stdio })
  const ended = once(child, 'close').then(([code]) => {
    if (code !== 0) throw new Error(`tar ended with ${code}`)
  })
  ended.catch(() => {})
  return { child, ended }
}

async function send(response) {
  if (!existsSync(state)) return response.writeHead(404).end()
  const { child, ended } = tar(state, ['-c', '-f', '-', '.'], ['ignore', 'pipe', 'inherit'])
  response.writeHead(200, { 'content-type': 'application/x-tar' })
  await pipeline(child.stdout, response, { end: false })
  await ended
  response.end()
}

async function receive(request) {
  remove(incoming)
  mkdirSync(incoming)
  give(incoming)
  // Links of the archive may point at the agent's folder, which nobody but root may enter meanwhile.
  const had = existsSync(state)
  if (had) chownSync(state, 0, 0)
  try {
    const { child, ended } = tar(incoming, ['-x', '-f', '-'], ['pipe', 'inherit', 'inherit'])
    await pipeline(request, child.stdin)
    await ended
    if (had && !existsSync(kept)) {
      mkdirSync(aside, { recursive: true, mode: 0o700 })
      renameSync(state, kept)
      chownSync(kept, AGENT, AGENT)
    }
    remove(state)
    renameSync(incoming, state)
    give(state)
  } catch (error) {
    remove(incoming)
    if (existsSync(state)) give(state)
    throw error
  }
}

function isAllowed({ headers }) {
  const { token } = JSON.parse(readFileSync('/run/mosaic/steward.json', 'utf8'))
  const [wanted, given] = [`Bearer ${token}`, headers.authorization ?? ''].map((one) =>
    Buffer.from(one)
  )
  return wanted.length === given.length && timingSafeEqual(wanted, given)
}

async function serve() {
  const server = createServer()
  server.requestTimeout = 0
  server.setTimeout(IDLE_MS, (socket) => socket.destroy())
  const nobody = setTimeout(() => process.exit(5), IDLE_MS)
  server.on('request', async (request, response) => {
    if (!isAllowed(request)) return response.writeHead(403).end()
    clearTimeout(nobody)
    try {
      if (verb === 'export') {
        await send(response)
      } else {
        await receive(request)
        response.end(JSON.stringify({ aside: existsSync(kept) }))
      }
      await once(response, 'close')
      process.exit(0)
    } catch (error) {
      console.error(`steward: ${error.message}`)
      // What was sent is not whole: the other side must see that.
      if (response.headersSent) response.destroy()
      else response.writeHead(500).end()
      setTimeout(() => process.exit(1), 500)
    }
  })
  server.listen(PORT, '0.0.0.0')
}

if (verb === 'prepare') {
  prepare()
} else if (!existsSync(ownerFile)) {
  process.exit(4)
} else if (readFileSync(ownerFile, 'utf8') !== owner) {
  process.exit(3)
} else if (verb === 'keep') {
  remove(aside)
} else if (verb === 'undo') {
  remove(state)
} else if (verb === 'purge') {
  // The mark goes last: until then, it may be asked again.
  for (const name of readdirSync(root)) if (name !== 'owner') remove(join(root, name))
  remove(ownerFile)
  if (root !== '/data') remove(root)
} else if (verb === 'export' || verb === 'import') {
  await serve()
} else {
  throw new Error(`Unknown verb: ${verb}`)
}
