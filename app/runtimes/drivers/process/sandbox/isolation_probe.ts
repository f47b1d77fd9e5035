import { spawn, type ChildProcess } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { rm, writeFile } from 'node:fs/promises'
import { createServer, type AddressInfo, type Server } from 'node:net'
import { networkInterfaces } from 'node:os'
import type { Readable } from 'node:stream'
import type { RuntimeFinding } from '#runtimes/contract'
import { agentAddress, GATE_ADDRESS } from '#runtimes/drivers/process/sandbox/gate'
import { firstProcess } from '#runtimes/drivers/process/spawn'
import type { Sandboxes } from '#runtimes/drivers/process/sandbox/sandboxes'
import {
  ENDING_WITH_PARENT,
  sandboxScript,
  UNSHARE,
} from '#runtimes/drivers/process/sandbox/sandbox'
import { SYSTEM_PATH } from '#runtimes/launch'

const DEADLINE_MS = 15_000
/** Enough for a probe's output. */
const SAID = 4000

/** Listens as a gateway does, and reports it. */
const PEER = `require('net').createServer().listen(18789, '0.0.0.0', () => console.log('listening'))`

/**
 * Tries the given targets and reports those it reached: `host:port` of connections, paths of files, and
 * `processes` if any command line contains the mark. It receives the mark reversed, so that its own
 * does not match.
 */
const PROBE = `
  const { existsSync, readdirSync, readFileSync } = require('fs')
  const { connect } = require('net')
  const { places, paths, kram } = JSON.parse(process.argv[1])
  const mark = [...kram].reverse().join('')
  const words = (pid) => { try { return readFileSync('/proc/' + pid + '/cmdline', 'utf8') } catch { return '' } }
  const seen = readdirSync('/proc').some((pid) => words(pid).includes(mark)) ? ['processes'] : []
  const reached = ([host, port]) => new Promise((resolve) => {
    const socket = connect({ host, port, timeout: 700 })
    const tell = (found) => () => (socket.destroy(), resolve(found))
    socket.once('connect', tell(host + ':' + port)).once('timeout', tell(null)).once('error', tell(null))
  })
  Promise.all(places.map(reached)).then((found) => {
    console.log(JSON.stringify([...seen, ...found.filter(Boolean), ...paths.filter((path) => existsSync(path))]))
    process.exit()
  })`

export interface ProbeInput {
  sandboxes: Sandboxes
  /** Two users that belong to no agent. */
  uids: [number, number]
  /** A Node binary that agents can reach. */
  node: string
  /** Files that must be invisible in a sandbox, besides one in this machine's /tmp. */
  seen?: string[]
}

/**
 * Proves with two sandboxes that one reaches neither the other, nor a service, process or temporary
 * file of this machine. Tests the kernel's behaviour, not its configuration.
 *
 * @throws Error if a sandbox cannot be created
 */
export async function proveIsolation(input: ProbeInput): Promise<RuntimeFinding[]> {
  const [peerUid, probeUid] = input.uids
  const canary = await openCanary()
  const mark = randomUUID()
  const file = `/tmp/mosaic-canary-${randomUUID()}`
  const started: Probe[] = []
  try {
    await writeFile(file, '')
    const peer = await start(input, peerUid, PEER, [mark])
    started.push(peer)
    await said(peer, /listening/)
    const { port } = canary.address() as AddressInfo
    const places = [
      ...machineAddresses().map((address) => [address, port]),
      [agentAddress(peerUid), 18789],
    ]
    const paths = [file, ...(input.seen ?? [])]
    const asked = { places, paths, kram: [...mark].reverse().join('') }
    const probe = await start(input, probeUid, PROBE, [JSON.stringify(asked)])
    started.push(probe)
    const reached = JSON.parse((await said(probe, /^\[.*\]$/m))[0]) as string[]
    return reached.length > 0 ? [leakFinding(reached)] : []
  } finally {
    canary.close()
    for (const { pid } of started) endFirst(pid)
    await rm(file, { force: true })
  }
}

/** Ends a sandbox by killing its first process. */
function endFirst(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // It has already ended.
  }
}

interface Probe {
  child: ChildProcess
  /** The pid of its first process on the machine. */
  pid: number
}

/** Starts a probe that ends with this process, even if that is killed: nobody else knows of it. */
async function start(
  { sandboxes, node }: ProbeInput,
  uid: number,
  program: string,
  words: string[]
): Promise<Probe> {
  const plan = await sandboxes.probePlan({ uid, gid: uid }, node)
  const script = sandboxScript({ ...plan, command: [node, '-e', program, ...words] })
  const [command, ...before] = ENDING_WITH_PARENT
  const child = spawn(command, [...before, 'unshare', ...UNSHARE, '/bin/sh', '-c', script], {
    cwd: '/',
    env: { PATH: SYSTEM_PATH },
    stdio: ['ignore', 'pipe', 'ignore', 'pipe'],
  })
  await once(child, 'spawn')
  return { child, pid: await firstProcess(child) }
}

async function said({ child, pid }: Probe, words: RegExp): Promise<RegExpExecArray> {
  const late = setTimeout(() => endFirst(pid), DEADLINE_MS)
  let text = ''
  try {
    for await (const chunk of child.stdout as Readable) {
      text = `${text}${chunk}`.slice(0, SAID)
      const found = words.exec(text)
      if (found) return found
    }
  } finally {
    clearTimeout(late)
  }
  throw new Error('A sandbox ended before it said anything.')
}

/** Listens on every address of the machine, like services that agents must not reach. */
async function openCanary(): Promise<Server> {
  const canary = createServer((socket) => socket.destroy()).listen(0, '0.0.0.0')
  await once(canary, 'listening')
  return canary.unref()
}

function machineAddresses(): string[] {
  const own = Object.values(networkInterfaces())
    .flatMap((addresses) => addresses ?? [])
    .filter(({ family }) => family === 'IPv4')
    .map(({ address }) => address)
  return [...new Set(['127.0.0.1', GATE_ADDRESS, ...own])]
}

function leakFinding(reached: string[]): RuntimeFinding {
  return {
    severity: 'error',
    code: 'process_sandbox_leaks',
    message: `Agents would reach ${reached.join(', ')} of this machine from their sandboxes.`,
    hint: 'Use a driver with containers, and report what the kernel is: its namespaces do not hold.',
  }
}
