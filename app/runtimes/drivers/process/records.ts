import { join } from 'node:path'
import { randomUUID } from 'node:crypto'
import { lstat, open, readdir, rename } from 'node:fs/promises'
import { readSmallFile } from '#bounded/file'
import type { InstanceExit } from '#runtimes/exit_reasons'
import type { ProcessIdentity } from '#runtimes/drivers/process/proc_table'

/** How a run ended. Its code is null when the process was not our child, so that nobody told us. */
export type RunExit = InstanceExit

/** One start of an agent. */
export interface Run extends ProcessIdentity {
  /** Of its gateway, in its sandbox; null or missing where it listens on this machine's loopback. */
  address?: string | null
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

/** A record takes a kilobyte; where agents have no users of their own, one of them may have written it. */
const RECORD = { what: 'The record of the agent', maxBytes: 64 * 1024 }

/** Ids below are the system's, and never an agent's. */
const FIRST_AGENT_ID = 1000

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
      const record = JSON.parse(await readSmallFile(this.path(name, RECORD_FILE), RECORD))
      return record?.version === 1 && record.name === name && isOfAgent(record) ? record : null
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException
      if (ABSENT.has(code ?? '') || error instanceof SyntaxError) return null
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

/** Codes for: there is no record, or something that is none. */
const ABSENT = new Set(['ENOENT', 'ENOTDIR', 'ELOOP', 'EINVAL', 'E_INPUT_TOO_LARGE'])

/** A user of the system would run the agent with its rights, a process that is none would be ended. */
function isOfAgent({ user, run }: AgentRecord): boolean {
  const isUser = !user || [user.uid, user.gid].every((id) => isAtLeast(id, FIRST_AGENT_ID))
  return isUser && (!run || isAtLeast(run.pid, 2))
}

function isAtLeast(value: unknown, least: number): boolean {
  return Number.isInteger(value) && (value as number) >= least
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
