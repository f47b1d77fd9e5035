import { lstat, opendir, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { readSmallFile } from '#bounded/file'
import { writeWhole } from '#runtimes/drivers/process/records'

/** Names the next user id of a folder of agents. */
const LEDGER_FILE = '.users.json'
const LEDGER = { what: 'The ledger of user ids', maxBytes: 1024 }

/** Kernel text of a few kilobytes. */
const STATUS = { what: 'The status of a process', maxBytes: 64 * 1024 }

/** Folders of a machine that everybody can write to. */
const PUBLIC_FOLDERS = ['/tmp', '/var/tmp', '/dev/shm']

/** Entries of a public folder that are looked at: an agent may fill it to make the look take for ever. */
const MOST_ENTRIES = 20_000

/**
 * The next user id for the agents of a folder. It only goes up, so that nothing which outlives an agent
 * meets the next agent as its own; what bears an id is asked as well, for when the range begins again or
 * the file is lost.
 */
export class UserLedger {
  constructor(readonly folder: string) {}

  /** The id after the last one that was given, or null where none is known. */
  async next(): Promise<number | null> {
    try {
      const { next } = JSON.parse(await readSmallFile(join(this.folder, LEDGER_FILE), LEDGER))
      return Number.isInteger(next) ? next : null
    } catch {
      return null
    }
  }

  /** Keeps that this id was given. Before it is used: an id that is lost costs nothing. */
  async gave(uid: number): Promise<void> {
    await writeWhole(join(this.folder, LEDGER_FILE), JSON.stringify({ next: uid + 1 }))
  }

  /** The users of everything that runs, of the folders of agents, and of what lies in public folders. */
  async inUse(): Promise<Set<number>> {
    const uids = new Set<number>()
    await addProcesses(uids)
    for (const folder of [this.folder, ...PUBLIC_FOLDERS]) await addOwners(folder, uids)
    return uids
  }
}

/** Real, effective, saved and file system user of each process, ended ones that nobody collected too. */
async function addProcesses(uids: Set<number>): Promise<void> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name))
  for (const pid of pids) {
    const status = await readSmallFile(`/proc/${pid}/status`, STATUS).catch(() => '')
    const [, ids = ''] = /^Uid:(.*)$/m.exec(status) ?? []
    for (const id of ids.split(/\s+/).filter(Boolean)) uids.add(Number(id))
  }
}

/** The folder of an agent is Mosaic's, and its group the agent's: user and group have the same id. */
async function addOwners(folder: string, uids: Set<number>): Promise<void> {
  try {
    let looked = 0
    for await (const { name } of await opendir(folder)) {
      if (++looked > MOST_ENTRIES) return
      const entry = await lstat(join(folder, name)).catch(() => null)
      if (entry) uids.add(entry.uid).add(entry.gid)
    }
  } catch {
    // A folder that is not there, or no folder, has no owners.
  }
}
