import { DatabaseSync } from 'node:sqlite'
import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { join } from 'node:path'

/** Where a secret was found that must be nowhere. */
export interface Leak {
  place: string
  secret: string
}

/** Looks for planted secrets wherever something could have put them. */
export class Canaries {
  constructor(readonly secrets: Record<string, string>) {}

  inText(place: string, text: string | Buffer): Leak[] {
    return Object.entries(this.secrets)
      .filter(([, secret]) => text.includes(secret))
      .map(([name]) => ({ place, secret: name }))
  }

  /** A stream of any length, as an archive of half a gigabyte: it is read once and never whole. */
  async inStream(place: string, stream: AsyncIterable<Uint8Array | string>): Promise<Leak[]> {
    const longest = Math.max(...Object.values(this.secrets).map((one) => Buffer.byteLength(one)))
    const found = new Map<string, Leak>()
    let tail: Buffer = Buffer.alloc(0)
    for await (const chunk of stream) {
      /** A secret may lie over the border of two chunks. */
      const text: Buffer = Buffer.concat([tail, Buffer.from(chunk)])
      for (const leak of this.inText(place, text)) found.set(leak.secret, leak)
      tail = text.subarray(-longest)
    }
    return [...found.values()]
  }

  /** Every value of every table, as text and as it would be encoded. */
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

  /** Every file below a folder, whole: databases and logs of the agents too. */
  inFiles(folder: string): Leak[] {
    return readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name))
      .flatMap((file) => this.inText(file, readFileSync(file)))
  }

  /** Arguments and environments of processes. */
  inProcesses(pids: number[]): Leak[] {
    return pids.flatMap((pid) =>
      ['cmdline', 'environ'].flatMap((name) => {
        const path = `/proc/${pid}/${name}`
        return this.inText(path, readFileSync(path))
      })
    )
  }
}

/** The processes that work in or below a folder, or were started for it. */
export function processesOf(folder: string): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => tracesOf(pid).some((trace) => trace.includes(folder)))
}

/** A process may end while it is looked at. */
function tracesOf(pid: number): string[] {
  try {
    const read = (name: string) => readFileSync(`/proc/${pid}/${name}`, 'utf8')
    return [readlinkSync(`/proc/${pid}/cwd`), read('cmdline'), read('environ')]
  } catch {
    return []
  }
}
