import { lstat, mkdir } from 'node:fs/promises'
import type { RuntimeFinding } from '#runtimes/contract'

/**
 * Node and npm load compiled code from here where nobody says otherwise, without a look at whose it is. An
 * agent that makes the folder first has root's next npm run its code.
 */
export const SHARED_CACHE = '/tmp/node-compile-cache'

/** For owner alone: others' Node goes without a cache. */
const OWN = 0o700
const WRITABLE_BY_OTHERS = 0o022

/** Takes the folder for root while its name is free. No-op if something has the name. */
export async function claimSharedCache(path = SHARED_CACHE): Promise<void> {
  await mkdir(path, { mode: OWN }).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST') throw error
  })
}

/** Warns of a folder from which root would run what somebody else wrote. */
export async function sharedCacheFinding(path = SHARED_CACHE): Promise<RuntimeFinding | null> {
  const found = await lstat(path).catch(() => null)
  if (!found) return null
  const isOwn = found.isDirectory() && found.uid === process.getuid?.()
  if (isOwn && (found.mode & WRITABLE_BY_OTHERS) === 0) return null
  return {
    severity: 'warning',
    code: 'shared_compile_cache',
    message: `${path} is not root's own: npm and Node, started as root, run code from it.`,
    hint: `Look who made it, and remove it before you run npm as root: rm -rf ${path}`,
  }
}
