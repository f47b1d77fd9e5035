import { DatabaseSync } from 'node:sqlite'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

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

  /** Searches a stream of any length, such as an archive, without holding all of it. */
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

  /** Searches the arguments and environments of processes, of which some may end meanwhile. */
  inProcesses(pids: number[]): Leak[] {
    return pids.flatMap((pid) =>
      ['cmdline', 'environ'].flatMap((name) =>
        this.inText(`/proc/${pid}/${name}`, ofProcess(pid, name))
      )
    )
  }
}

/** Empty if the process has ended. @throws if this user may not read it */
function ofProcess(pid: number, name: string): string {
  try {
    return readFileSync(`/proc/${pid}/${name}`, 'utf8')
  } catch (error) {
    if (['ENOENT', 'ESRCH'].includes((error as NodeJS.ErrnoException).code!)) return ''
    throw error
  }
}
