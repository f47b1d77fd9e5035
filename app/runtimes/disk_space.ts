import { statfs } from 'node:fs/promises'
import type { RuntimeFinding } from '#runtimes/contract'

/** With less free space any write of an agent may fail: OpenClaw's own state and log need some room. */
export const NEEDED_BYTES = 64 * 1024 * 1024
/** Below this the preflight warns, while there is still time to free space. */
const NEARLY_FULL_BYTES = 1024 * 1024 * 1024

export type FreeBytes = (folder: string) => Promise<number>

/** Returns the free space on a folder's disk for users other than root. */
export const freeBytes: FreeBytes = async (folder) => {
  const { bavail, bsize } = await statfs(folder)
  return bavail * bsize
}

/** Returns null while there is room. */
export function diskFinding(bytes: number, what: string): RuntimeFinding | null {
  if (bytes >= NEARLY_FULL_BYTES) return null
  return {
    severity: bytes < NEEDED_BYTES ? 'error' : 'warning',
    code: 'disk_nearly_full',
    message: `Only ${Math.floor(bytes / 1024 / 1024)} MB are left on the disk of ${what}.`,
    hint: 'Free some space: agents cannot start, or lose what they write, once it is full.',
  }
}
