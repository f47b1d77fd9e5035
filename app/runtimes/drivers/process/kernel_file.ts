import { readFileSync } from 'node:fs'

/** Returns a file of `/proc` or `/sys`, or null if it is missing or unreadable. */
export function readKernelFile(path: string): string | null {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return null
  }
}
