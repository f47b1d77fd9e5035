import { readFileSync } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'

/** What the kernel says of one process. */
export interface ProcessStat {
  pid: number
  /** `R`, `S`, `T` (stopped), `Z` (ended, not yet collected), … */
  state: string
  group: number
  /** Clock ticks from the machine's boot to its start: with the pid and the boot, it names a process for good. */
  startTicks: number
}

/** Names a process for good: a pid alone is used again. */
export interface ProcessIdentity {
  pid: number
  startTicks: number
  bootId: string
}

/** Looks processes up in `/proc`. What ended, or belongs to nobody we may see, is simply not there. */
export class ProcTable {
  readonly #root: string
  readonly bootId: string

  constructor(root = '/proc') {
    this.#root = root
    this.bootId = readOrNull(`${root}/sys/kernel/random/boot_id`)?.trim() ?? ''
  }

  /** The process with this pid, unless it has ended. */
  find(pid: number): ProcessStat | null {
    const text = readOrNull(`${this.#root}/${pid}/stat`)
    return text === null ? null : parseStat(pid, text)
  }

  /** That very process, not another one with its pid; null once it has ended. */
  findSame(identity: ProcessIdentity): ProcessStat | null {
    if (identity.bootId !== this.bootId) return null
    const stat = this.find(identity.pid)
    return stat?.startTicks === identity.startTicks ? stat : null
  }

  /** The living members of a process group. */
  async inGroup(group: number): Promise<number[]> {
    return this.#select(async (pid) => this.find(pid)?.group === group)
  }

  /** The living processes that run as this user. */
  async ofUser(uid: number): Promise<number[]> {
    const isOf = (line: string) => line.startsWith('Uid:') && line.split(/\s+/)[1] === `${uid}`
    return this.#select(async (pid) => {
      const status = await readFile(`${this.#root}/${pid}/status`, 'utf8')
      return status.split('\n').some(isOf) && this.find(pid) !== null
    })
  }

  /** The living processes that were started with this variable, among those whose environment we may read. */
  async withVariable(name: string, value: string): Promise<number[]> {
    const entry = `${name}=${value}`
    return this.#select(async (pid) => {
      const environment = await readFile(`${this.#root}/${pid}/environ`, 'utf8')
      return environment.split('\0').includes(entry) && this.find(pid) !== null
    })
  }

  /** How many processes the kernel killed for want of memory since the machine started. */
  outOfMemoryKills(): number {
    const text = readOrNull(`${this.#root}/vmstat`)
    return Number(/^oom_kill (\d+)$/m.exec(text ?? '')?.[1] ?? 0)
  }

  /** The user whose process listens on this loopback port, or null where none does. */
  listener(port: number): number | null {
    const address = `0100007F:${port.toString(16).toUpperCase().padStart(4, '0')}`
    for (const line of (readOrNull(`${this.#root}/net/tcp`) ?? '').split('\n')) {
      const [, local, , state, , , , uid] = line.trim().split(/\s+/)
      if (local === address && state === LISTENING) return Number(uid)
    }
    return null
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

/** The kernel's number of the state in which a socket takes connections. */
const LISTENING = '0A'

/** The name, in brackets, may hold anything, brackets too: count from its last one. */
function parseStat(pid: number, text: string): ProcessStat | null {
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
  const [state, , group] = fields
  if (state === 'Z' || state === 'X') return null
  return { pid, state, group: Number(group), startTicks: Number(fields[19]) }
}

function readOrNull(path: string): string | null {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return null
  }
}
