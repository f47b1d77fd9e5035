import { DatabaseSync } from 'node:sqlite'
import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { join, relative } from 'node:path'

/** A secret, and a place where it must not be. */
export interface Leak {
  place: string
  secret: string
}

/** Searches for planted secrets wherever they could have leaked to. */
export class Canaries {
  constructor(readonly secrets: Record<string, string>) {}

  inText(place: string, text: string | Buffer): Leak[] {
    return Object.entries(this.secrets)
      .filter(([, secret]) => text.includes(secret))
      .map(([name]) => ({ place, secret: name }))
  }

  /** Searches a stream of any length, such as an archive of half a gigabyte, without holding all of it. */
  async inStream(place: string, stream: AsyncIterable<Uint8Array | string>): Promise<Leak[]> {
    const longest = Math.max(...Object.values(this.secrets).map((one) => Buffer.byteLength(one)))
    const found = new Map<string, Leak>()
    let tail: Buffer = Buffer.alloc(0)
    for await (const chunk of stream) {
      /** A secret may span two chunks. */
      const text: Buffer = Buffer.concat([tail, Buffer.from(chunk)])
      for (const leak of this.inText(place, text)) found.set(leak.secret, leak)
      tail = text.subarray(-longest)
    }
    return [...found.values()]
  }

  /** Searches every value of every table, as text and in its encoded forms. */
  inDatabase(file: string): Leak[] {
    const database = new DatabaseSync(file, { readOnly: true })
    try {
      const tables = database
        .prepare("select name from sqlite_master where type = 'table'")
        .all()
        .map(({ name }) => String(name))
      return tables.flatMap((table) => {
        const rows = database.prepare(`select * from "${table}"`).all()
        return this.inText(`table ${table}`, JSON.stringify(rows))
      })
    } finally {
      database.close()
    }
  }

  /** Searches every file below a folder, including the agents' databases and logs. */
  inFiles(folder: string): Leak[] {
    return readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name))
      .flatMap((file) => this.inText(file, readFileSync(file)))
  }

  /** Searches the arguments and environments of processes. */
  inProcesses(pids: number[]): Leak[] {
    return pids.flatMap((pid) =>
      ['cmdline', 'environ'].flatMap((name) => {
        const path = `/proc/${pid}/${name}`
        return this.inText(path, readFileSync(path))
      })
    )
  }
}

/**
 * Returns the processes that work in or below a folder, were started for it, or are in a sandbox with
 * something of it.
 */
export function processesOf(folder: string): number[] {
  const { device, root } = placeOf(folder)
  const isMounted = (pid: number) =>
    mountsOf(pid).some((mount) => mount.device === device && isInside(mount.root, root))
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => tracesOf(pid).some((trace) => trace.includes(folder)) || isMounted(pid))
}

/** The process may end meanwhile. */
function tracesOf(pid: number): string[] {
  try {
    return [readlinkSync(`/proc/${pid}/cwd`), read(pid, 'cmdline'), read(pid, 'environ')]
  } catch {
    return []
  }
}

interface Mount {
  device: string
  /** The folder of the device's file system that is mounted. */
  root: string
  at: string
}

/** A sandbox shows its agent neutral paths; its mounts still name the folders behind them. */
function mountsOf(pid: number | 'self'): Mount[] {
  try {
    return read(pid, 'mountinfo')
      .trimEnd()
      .split('\n')
      .map((line) => {
        const [, , device, root, at] = line.split(' ')
        return { device, root, at }
      })
  } catch {
    return []
  }
}

/** Where the folder is in its file system, which may be mounted for it alone. */
function placeOf(folder: string): Omit<Mount, 'at'> {
  const above = mountsOf('self').filter(({ at }) => at === folder || isInside(folder, at))
  const { device, root, at } = above.reduce((one, other) =>
    other.at.length >= one.at.length ? other : one
  )
  return { device, root: join(root, relative(at, folder)) }
}

const isInside = (path: string, folder: string) =>
  path !== folder && path.startsWith(folder.replace(/\/?$/, '/'))

const read = (pid: number | 'self', name: string) => readFileSync(`/proc/${pid}/${name}`, 'utf8')
