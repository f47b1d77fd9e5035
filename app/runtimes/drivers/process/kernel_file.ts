import { readFileSync } from 'node:fs'

/** A file of `/proc` or `/sys`; null where it is missing or may not be read. */
export function readKernelFile(path: string): string | null {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return null
  }
}
