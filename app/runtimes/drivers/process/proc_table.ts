import { readlinkSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { readFileStart } from '#bounded/file'
import { readKernelFile, readStatus } from '#runtimes/drivers/process/kernel_file'

/**
 * What is searched of an environment. A process can replace its own with gigabytes; in one that it got
 * from Mosaic all variables are within this.
 */
const ENVIRONMENT_BYTES = 64 * 1024

/** One process as the kernel reports it. */
export interface ProcessStat {
  pid: number
  /** `R`, `S`, `T` (stopped), `Z` (ended, not yet reaped), … */
  state: string
  parent: number
  group: number
  /**
   * Clock ticks from boot to the process's start. Together with pid and boot it identifies a process
   * uniquely.
   */
  startTicks: number
}

/** Identifies a process uniquely: pids alone are reused. */
export interface ProcessIdentity {
  pid: number
  startTicks: number
  bootId: string
}

/** Looks up processes in `/proc`. Processes that have ended or are invisible to this user count as absent. */
export class ProcTable {
  readonly #root: string
  readonly bootId: string

  constructor(root = '/proc') {
    this.#root = root
    this.bootId = readKernelFile(`${root}/sys/kernel/random/boot_id`)?.trim() ?? ''
  }

  /** Returns the process with this pid, or null if it has ended. */
  find(pid: number): ProcessStat | null {
    const text = readKernelFile(`${this.#root}/${pid}/stat`)
    return text === null ? null : parseStat(pid, text)
  }

  /** Returns exactly that process, never another with its pid; null once it has ended. */
  findSame(identity: ProcessIdentity): ProcessStat | null {
    if (identity.bootId !== this.bootId) return null
    const stat = this.find(identity.pid)
    return stat?.startTicks === identity.startTicks ? stat : null
  }

  /** Returns the living members of a process group. */
  async inGroup(group: number): Promise<number[]> {
    return this.#select(async (pid) => this.find(pid)?.group === group)
  }

  /** Returns the living processes of this user. */
  async ofUser(uid: number): Promise<number[]> {
    const isOf = (line: string) => line.startsWith('Uid:') && line.split(/\s+/)[1] === `${uid}`
    return this.#select(async (pid) => {
      const status = await readStatus(pid, this.#root)
      return status.split('\n').some(isOf) && this.find(pid) !== null
    })
  }

  /** Filters for processes of the machine itself, outside any sandbox. */
  outsideSandboxes(pids: number[]): number[] {
    const own = this.#namespace('self')
    return pids.filter((pid) => this.#namespace(pid) === own)
  }

  #namespace(pid: number | 'self'): string | null {
    try {
      return readlinkSync(`${this.#root}/${pid}/ns/pid`)
    } catch {
      return null
    }
  }

  /**
   * Returns the living processes started with one of these variables, among those whose environment is
   * readable. Only the start of an environment counts: a process that hides the variable behind it could
   * as well drop it.
   */
  async withVariable(variables: Record<string, string>): Promise<number[]> {
    const entries = Object.entries(variables).map(([name, value]) => `\0${name}=${value}\0`)
    return this.#select(async (pid) => {
      const start = await readFileStart(`${this.#root}/${pid}/environ`, ENVIRONMENT_BYTES)
      const environment = Buffer.concat([SEPARATOR, start])
      return entries.some((entry) => environment.includes(entry)) && this.find(pid) !== null
    })
  }

  /** Returns how many processes the kernel has killed for lack of memory since boot. */
  outOfMemoryKills(): number {
    const text = readKernelFile(`${this.#root}/vmstat`)
    return Number(/^oom_kill (\d+)$/m.exec(text ?? '')?.[1] ?? 0)
  }

  /**
   * Returns the users whose processes listen on this port, at any address that a connection to
   * 127.0.0.1 may reach. Of two listeners the kernel prefers the more specific one, so a single foreign
   * listener is one too many.
   */
  listeners(port: number): number[] {
    return this.#sockets()
      .filter(({ state, local }) => state === LISTENING && leadsTo(local, port))
      .map(({ uid }) => uid)
  }

  /**
   * Returns the user whose process accepted the loopback connection between these two ports; null while
   * no process has accepted it.
   */
  taker(port: number, fromPort: number): number | null {
    const isIt = ({ state, local, remote, inode }: TcpSocket) =>
      state === ESTABLISHED && leadsTo(local, port) && remote.port === fromPort && inode !== 0
    return this.#sockets().find(isIt)?.uid ?? null
  }

  #sockets(): TcpSocket[] {
    const tables = ['tcp', 'tcp6'].map((name) => readKernelFile(`${this.#root}/net/${name}`) ?? '')
    return tables.flatMap((text) => text.split('\n').slice(1)).flatMap(parseSocket)
  }

  async #select(matches: (pid: number) => Promise<boolean>): Promise<number[]> {
    const pids = (await readdir(this.#root)).filter((name) => /^\d+$/.test(name)).map(Number)
    const found: number[] = []
    for (const pid of pids) {
      if (await matches(pid).catch(() => false)) found.push(pid)
    }
    return found
  }
}

/** Ends each variable of an environment. */
const SEPARATOR = Buffer.from('\0')

/** The kernel's state numbers: a listening socket, and a connected one. */
const LISTENING = '0A'
const ESTABLISHED = '01'

/**
 * 127.0.0.1 and the addresses that include it, as the kernel prints them: the wildcards of both
 * families, and the mapped address.
 */
const LOOPBACK = new Set([
  '0100007F',
  '00000000',
  '0'.repeat(32),
  '0000000000000000FFFF00000100007F',
  '0000000000000000FFFF000000000000',
])

interface TcpSocket {
  local: { address: string; port: number }
  remote: { address: string; port: number }
  state: string
  uid: number
  /** 0 for a connection that no process has accepted yet. */
  inode: number
}

function leadsTo(local: TcpSocket['local'], port: number): boolean {
  return local.port === port && LOOPBACK.has(local.address)
}

/** Parses a line of `/proc/net/tcp` or `tcp6`; returns an empty list for any other text. */
function parseSocket(line: string): TcpSocket[] {
  const [, local, remote, state, , , , uid, , inode] = line.trim().split(/\s+/)
  if (!inode) return []
  return [
    { local: place(local), remote: place(remote), state, uid: Number(uid), inode: Number(inode) },
  ]
}

function place(text: string): { address: string; port: number } {
  const [address, port] = text.split(':')
  return { address, port: Number.parseInt(port, 16) }
}

/** The name, in parentheses, may itself contain parentheses: parse from the last one. */
function parseStat(pid: number, text: string): ProcessStat | null {
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
  const [state, parent, group] = fields
  if (state === 'Z' || state === 'X') return null
  return {
    pid,
    state,
    parent: Number(parent),
    group: Number(group),
    startTicks: Number(fields[19]),
  }
}
