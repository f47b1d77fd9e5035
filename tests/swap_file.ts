import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/**
 * Gives this machine a swap file of so many megabytes. Requires root. Returns a function that removes it, which
 * takes what lies in it back into memory.
 *
 * @throws if the kernel refuses
 */
export function addSwapFile(megabytes: number): () => void {
  const folder = mkdtempSync(join(tmpdir(), 'mosaic-swap-'))
  const file = join(folder, 'swap')
  const run = (command: string, ...words: string[]) =>
    execFileSync(command, words, { stdio: ['ignore', 'ignore', 'pipe'] })
  const remove = () => rmSync(folder, { recursive: true, force: true })
  try {
    run('dd', 'if=/dev/zero', `of=${file}`, 'bs=1M', `count=${megabytes}`, 'status=none')
    run('chmod', '600', file)
    run('mkswap', file)
    run('swapon', file)
  } catch (error) {
    remove()
    throw error
  }
  return () => {
    run('swapoff', file)
    remove()
  }
}

let possible: boolean | undefined

/** Swap files as `TrialSwap`. Containers and some file systems refuse them. */
export const swapFile = {
  add: addSwapFile,
  isPossible() {
    possible ??= process.getuid?.() === 0 && isTaken()
    return possible
  },
}

function isTaken(): boolean {
  try {
    addSwapFile(1)()
    return true
  } catch {
    return false
  }
}
