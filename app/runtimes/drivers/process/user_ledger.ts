import { lstat, opendir, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { readSmallFile } from '#bounded/file'
import { readStatus } from '#runtimes/drivers/process/kernel_file'
import { writeWhole } from '#runtimes/drivers/process/records'

/** Stores the next user id of an agents' folder. */
const LEDGER_FILE = '.users.json'
const LEDGER = { what: 'The ledger of user ids', maxBytes: 1024 }

/** World-writable folders of a machine. */
const PUBLIC_FOLDERS = ['/tmp', '/var/tmp', '/dev/shm']

/** Limit of entries checked in a public folder: an agent may fill it to stall the check. */
const MOST_ENTRIES = 20_000

/**
 * Allocates user ids for the agents of a folder. Ids only increase, so that leftovers of a deleted
 * agent never belong to the next one. Ids in use are checked as well, in case the range wraps around or
 * the file is lost.
 */
export class UserLedger {
  constructor(readonly folder: string) {}

  /** Returns the id after the last assigned one, or null if unknown. */
  async next(): Promise<number | null> {
    try {
      const { next } = JSON.parse(await readSmallFile(join(this.folder, LEDGER_FILE), LEDGER))
      return Number.isInteger(next) ? next : null
    } catch {
      return null
    }
  }

  /** Records an assigned id. Call it before the id is used: a skipped id costs nothing. */
  async gave(uid: number): Promise<void> {
    await writeWhole(join(this.folder, LEDGER_FILE), JSON.stringify({ next: uid + 1 }))
  }

  /** Returns the users of all processes, of agents' folders, and of entries in public folders. */
  async inUse(): Promise<Set<number>> {
    const uids = new Set<number>()
    await addProcesses(uids)
    for (const folder of [this.folder, ...PUBLIC_FOLDERS]) await addOwners(folder, uids)
    return uids
  }
}

/** Adds the real, effective, saved and file system users of each process, zombies included. */
async function addProcesses(uids: Set<number>): Promise<void> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name))
  for (const pid of pids) {
    const status = await readStatus(Number(pid)).catch(() => '')
    const [, ids = ''] = /^Uid:(.*)$/m.exec(status) ?? []
    for (const id of ids.split(/\s+/).filter(Boolean)) uids.add(Number(id))
  }
}

/**
 * An agent's folder belongs to Mosaic's user and the agent's group, which has the same id as the
 * agent's user.
 */
async function addOwners(folder: string, uids: Set<number>): Promise<void> {
  try {
    let looked = 0
    for await (const { name } of await opendir(folder)) {
      if (++looked > MOST_ENTRIES) return
      const entry = await lstat(join(folder, name)).catch(() => null)
      if (entry) uids.add(entry.uid).add(entry.gid)
    }
  } catch {
    // A missing folder has no owners.
  }
}
