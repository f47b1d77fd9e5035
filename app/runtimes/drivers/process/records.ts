import { join } from 'node:path'
import { randomUUID } from 'node:crypto'
import { lstat, open, readdir, rename, rm } from 'node:fs/promises'
import { readSmallFile } from '#bounded/file'
import type { InstanceExit } from '#runtimes/exit_reasons'
import type { ProcessIdentity } from '#runtimes/drivers/process/proc_table'

/**
 * How a run ended. The code is null if the process was not our child: the system reports it to the
 * parent only.
 */
export type RunExit = InstanceExit

/** One start of an agent. */
export interface Run extends ProcessIdentity {
  /** The gateway's address in its sandbox; null or missing if it listens on this machine's loopback. */
  address?: string | null
  port: number
  generation: number
  specHash: string
  startedAt: string
  /** Set before the stop, so that the exit does not count as a failure. */
  stopRequested: boolean
  exit: RunExit | null
}

/** The driver's record of an agent, beside its data, in a file that only Mosaic's user can read. */
export interface AgentRecord {
  version: 1
  name: string
  agent: string
  installation: string
  /** The user and group of its processes; null for Mosaic's own. */
  user: { uid: number; gid: number } | null
  /** Null before the first start and after `remove`. */
  run: Run | null
}

const RECORD_FILE = 'instance.json'

/** A record takes a kilobyte, but without users of their own an agent may have written it. */
const RECORD = { what: 'The record of the agent', maxBytes: 64 * 1024 }

/** Lower ids belong to the system, never to an agent. */
const FIRST_AGENT_ID = 1000

/**
 * The agents of a folder. Each has a subfolder `<name>/` with its record. The subfolder belongs to
 * Mosaic; the agent owns only folders below it.
 */
export class AgentRecords {
  constructor(readonly folder: string) {}

  path(...parts: string[]): string {
    return join(this.folder, ...parts)
  }

  /** Returns the record, or null if there is none. `exists` tells whether something else has the name. */
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

  /** Writes an agent's first record into a folder that does not have its final name yet. */
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

/** Error codes for a missing or malformed record. */
const ABSENT = new Set(['ENOENT', 'ENOTDIR', 'ELOOP', 'EINVAL', 'E_INPUT_TOO_LARGE'])

/**
 * Guards against forged records: a system user would give the agent its rights, and an invalid pid
 * could kill another process.
 */
function isOfAgent({ user, run }: AgentRecord): boolean {
  const isUser = !user || [user.uid, user.gid].every((id) => isAtLeast(id, FIRST_AGENT_ID))
  return isUser && (!run || isAtLeast(run.pid, 2))
}

function isAtLeast(value: unknown, least: number): boolean {
  return Number.isInteger(value) && (value as number) >= least
}

interface Access {
  mode: number
  /** Null for Mosaic's own user. */
  user: { uid: number; gid: number } | null
}

const MOSAICS_OWN: Access = { mode: 0o600, user: null }

/** Writes a file atomically: it has either the old content or the new. A failure leaves nothing beside it. */
export async function writeWhole(path: string, text: string, access = MOSAICS_OWN): Promise<void> {
  const temporary = `${path}.${randomUUID()}`
  try {
    await writeNew(temporary, text, access)
    await rename(temporary, path)
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => {})
    throw error
  }
}

async function writeNew(path: string, text: string, { mode, user }: Access): Promise<void> {
  await using file = await open(path, 'wx', mode)
  await file.writeFile(text)
  if (user) await file.chown(user.uid, user.gid)
}
