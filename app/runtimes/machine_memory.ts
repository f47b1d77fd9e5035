import { readFile } from 'node:fs/promises'
import type { MachineMemory } from '#runtimes/contract'

/**
 * Share of used swap above which nothing more is moved: running programs need the rest under memory pressure.
 */
const MOST_SWAP_USED = 0.8

/** Returns this machine's memory in bytes; null if the kernel does not report it, as outside Linux. */
export async function readMachineMemory(path = '/proc/meminfo'): Promise<MachineMemory | null> {
  const text = await readFile(path, 'utf8').catch(() => null)
  if (text === null) return null
  const bytes = (name: string) => kernelBytes(text, name)
  const [total, available] = [bytes('MemTotal'), bytes('MemAvailable')]
  if (total === null || available === null) return null
  return { total, available, swapTotal: bytes('SwapTotal') ?? 0, swapFree: bytes('SwapFree') ?? 0 }
}

/** Returns the value of a line such as `VmRSS:   123 kB` in bytes; null if there is none. */
export function kernelBytes(text: string, name: string): number | null {
  const line = text.split('\n').find((one) => one.startsWith(`${name}:`))
  return line ? Number.parseInt(line.slice(name.length + 1), 10) * 1024 : null
}

/** Returns whether there is swap with room left. */
export function hasSwapRoom({ swapTotal, swapFree }: MachineMemory): boolean {
  return swapTotal > 0 && swapTotal - swapFree < MOST_SWAP_USED * swapTotal
}

/**
 * Returns the names of swap areas that store memory unencrypted on disk: all but compressed memory (zram) and
 * mapped devices, which is how encrypted swap appears.
 */
export async function plainSwapAreas(path = '/proc/swaps'): Promise<string[]> {
  const text = await readFile(path, 'utf8').catch(() => '')
  const names = text.split('\n').slice(1).filter(Boolean)
  return names
    .map((line) => line.split(/\s+/)[0])
    .filter((name) => !/^\/dev\/(zram|dm-|mapper\/)/.test(name))
}
