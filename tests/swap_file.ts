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
    execFileSync(command, words, { stdio: ['ignore', 'ignore', 'inherit'] })
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
