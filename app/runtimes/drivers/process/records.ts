import { join } from 'node:path'
import { randomUUID } from 'node:crypto'
import { lstat, open, readFile, readdir, rename } from 'node:fs/promises'
import type { InstanceExit } from '#runtimes/exit_reasons'
import type { ProcessIdentity } from '#runtimes/drivers/process/proc_table'

/** How a run ended. Its code is null when the process was not our child, so that nobody told us. */
export type RunExit = InstanceExit

/** One start of an agent. */
export interface Run extends ProcessIdentity {
  port: number
  generation: number
  specHash: string
  startedAt: string
  /** Set before it is told to end, so that its end is no failure. */
  stopRequested: boolean
  exit: RunExit | null
}

/** What the driver remembers of an agent, beside its data: a file that only Mosaic's user can read. */
export interface AgentRecord {
  version: 1
  name: string
  agent: string
  installation: string
  /** The user and group that its processes run as; null where they run as Mosaic's own. */
  user: { uid: number; gid: number } | null
  /** Null before the first start and after `remove`. */
  run: Run | null
}

const RECORD_FILE = 'instance.json'

/**
 * The agents of a folder. Each has a subfolder `<name>/`, which belongs to Mosaic, with the record in it;
 * what belongs to the agent lies deeper, in folders of its own.
 */
export class AgentRecords {
  constructor(readonly folder: string) {}

  path(...parts: string[]): string {
    return join(this.folder, ...parts)
  }

  /** The record, or null where there is none. Whether somebody else has the name is told by `exists`. */
  async read(name: string): Promise<AgentRecord | null> {
    try {
      const record = JSON.parse(await readFile(this.path(name, RECORD_FILE), 'utf8'))
      return record.version === 1 && record.name === name ? record : null
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException
      if (code === 'ENOENT' || code === 'ENOTDIR' || error instanceof SyntaxError) return null
      throw error
    }
  }

  /** Whether anything has that name, ours or not. */
  async exists(name: string): Promise<boolean> {
    return lstat(this.path(name)).then(
      () => true,
      () => false
    )
  }

  write(record: AgentRecord): Promise<void> {
    return writeWhole(this.path(record.name, RECORD_FILE), JSON.stringify(record, null, 2))
  }

  /** Writes the first record of an agent into a folder that does not carry its name yet. */
  writeInto(folder: string, record: AgentRecord): Promise<void> {
    return writeWhole(join(folder, RECORD_FILE), JSON.stringify(record, null, 2))
  }

  async *all(): AsyncIterable<AgentRecord> {
    const names = await readdir(this.folder).catch(() => [] as string[])
    for (const name of names) {
      if (name.startsWith('.')) continue
      const record = await this.read(name)
      if (record) yield record
    }
  }
}

/** Writes a file that is either the old one or the new one, whatever happens meanwhile. */
export async function writeWhole(path: string, text: string, mode = 0o600): Promise<void> {
  const temporary = `${path}.${randomUUID()}`
  const file = await open(temporary, 'wx', mode)
  try {
    await file.writeFile(text)
  } finally {
    await file.close()
  }
  await rename(temporary, path)
}
