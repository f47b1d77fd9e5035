import { lstat, mkdir } from 'node:fs/promises'
import type { RuntimeFinding } from '#runtimes/contract'

/**
 * Node and npm load compiled code from here by default, without checking its owner. If an agent creates
 * the folder first, root's next npm runs the agent's code.
 */
export const SHARED_CACHE = '/tmp/node-compile-cache'

/** Access for the owner only; other users' Node runs without a cache. */
const OWN = 0o700
const WRITABLE_BY_OTHERS = 0o022

/** Creates the folder as root while the name is free. A no-op if it exists. */
export async function claimSharedCache(path = SHARED_CACHE): Promise<void> {
  await mkdir(path, { mode: OWN }).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST') throw error
  })
}

/** Warns if root would run another user's code from this folder. */
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
