import { readFileSync } from 'node:fs'
import { readFileStart } from '#bounded/file'

/** A status takes two kilobytes, unless its process is in thousands of groups. */
const STATUS_BYTES = 64 * 1024

/**
 * Returns a file of `/proc` or `/sys`, or null if it is missing or unreadable. Not for files whose size a
 * process decides, such as its environment and its command line.
 */
export function readKernelFile(path: string): string | null {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return null
  }
}

/**
 * Returns a process's status: its users come before all that makes it long. Rejects if the process has
 * ended.
 */
export async function readStatus(pid: number, root = '/proc'): Promise<string> {
  return (await readFileStart(`${root}/${pid}/status`, STATUS_BYTES)).toString('utf8')
}
