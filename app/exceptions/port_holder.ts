import { readdirSync, readFileSync, readlinkSync } from 'node:fs'

/** The listener on a port: its socket's owner, and the process if this one may see it. */
export interface PortHolder {
  uid: number
  pid: number | null
  /** The process's own name; null if it is not visible. */
  name: string | null
}

const TABLES = ['/proc/net/tcp', '/proc/net/tcp6']
const LISTENS = '0A'
/** Limit of processes searched for a socket: a failed boot must end. */
const MAX_PROCESSES = 50_000
/** Limit of open files searched per process. */
const MAX_FILES = 10_000

/** Returns the listener on a port of this machine, or null if unknown, as on systems other than Linux. */
export function portHolder(port: number): PortHolder | null {
  for (const table of TABLES) {
    for (const line of linesOf(table).slice(1)) {
      const [, local, , state, , , , uid, , inode] = line.trim().split(/ +/)
      if (state !== LISTENS || Number.parseInt(local.split(':')[1], 16) !== port) continue
      const pid = processWith(`socket:[${inode}]`)
      return { uid: Number(uid), pid, name: pid === null ? null : nameOf(pid) }
    }
  }
  return null
}

/** Describes the holder in a sentence. */
export function holderSentence(holder: PortHolder | null): string {
  if (!holder) return 'another process'
  const { uid, pid, name } = holder
  const which = pid === null ? 'a process' : `process ${pid}${name ? ` (${name})` : ''}`
  return `${which} of the user with id ${uid}`
}

function processWith(socket: string): number | null {
  const pids = attempt(() => readdirSync('/proc')) ?? []
  for (const pid of pids.filter((name) => /^\d+$/.test(name)).slice(0, MAX_PROCESSES)) {
    const files = attempt(() => readdirSync(`/proc/${pid}/fd`)) ?? []
    const has = files
      .slice(0, MAX_FILES)
      .some((file) => attempt(() => readlinkSync(`/proc/${pid}/fd/${file}`)) === socket)
    if (has) return Number(pid)
  }
  return null
}

/** A process may call itself anything, so only printable characters are kept. */
function nameOf(pid: number): string | null {
  const name = attempt(() => readFileSync(`/proc/${pid}/comm`, 'utf8'))
  return name?.replace(/[^\w .:-]/g, '').slice(0, 16) || null
}

const linesOf = (file: string) =>
  (attempt(() => readFileSync(file, 'utf8')) ?? '').split('\n').filter(Boolean)

/** Processes come and go during the search, and some are not visible. */
function attempt<Value>(look: () => Value): Value | null {
  try {
    return look()
  } catch {
    return null
  }
}
