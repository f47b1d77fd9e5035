import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'

const CONTROL = '/sys/class/zram-control'
/** Fast rather than small: a wake decompresses while its person waits. */
const ALGORITHM = 'lz4'

/**
 * Gives this machine so many megabytes of swap in compressed memory. Requires root. Returns a function that removes
 * it, which takes what lies in it back into memory.
 *
 * @throws if the kernel has no zram, or refuses
 */
export function addZram(megabytes: number): () => void {
  const run = (command: string, ...words: string[]) =>
    execFileSync(command, words, { stdio: ['ignore', 'ignore', 'inherit'] })
  /** Reading this file adds a device. */
  const number = readFileSync(`${CONTROL}/hot_add`, 'utf8').trim()
  const [block, device] = [`/sys/block/zram${number}`, `/dev/zram${number}`]
  const remove = () => {
    writeFileSync(`${block}/reset`, '1')
    writeFileSync(`${CONTROL}/hot_remove`, number)
  }
  try {
    writeFileSync(`${block}/comp_algorithm`, ALGORITHM)
    writeFileSync(`${block}/disksize`, `${megabytes}M`)
    run('mkswap', device)
    run('swapon', device)
  } catch (error) {
    remove()
    throw error
  }
  return () => {
    run('swapoff', device)
    remove()
  }
}
