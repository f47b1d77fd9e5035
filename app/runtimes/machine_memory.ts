import { readFile } from 'node:fs/promises'
import type { MachineMemory } from '#runtimes/contract'

/** Above this share of used swap nothing more is moved there: what runs needs the rest under pressure. */
const MOST_SWAP_USED = 0.8

/** The memory of this machine, in bytes; null where the kernel does not tell, as outside Linux. */
export async function readMachineMemory(path = '/proc/meminfo'): Promise<MachineMemory | null> {
  const text = await readFile(path, 'utf8').catch(() => null)
  if (text === null) return null
  const bytes = (name: string) => kernelBytes(text, name)
  const [total, available] = [bytes('MemTotal'), bytes('MemAvailable')]
  if (total === null || available === null) return null
  return { total, available, swapTotal: bytes('SwapTotal') ?? 0, swapFree: bytes('SwapFree') ?? 0 }
}

/** The value of a line as `VmRSS:   123 kB`, in bytes; null without one. */
export function kernelBytes(text: string, name: string): number | null {
  const line = text.split('\n').find((one) => one.startsWith(`${name}:`))
  return line ? Number.parseInt(line.slice(name.length + 1), 10) * 1024 : null
}

/** Whether the swap takes more. False without any. */
export function hasSwapRoom({ swapTotal, swapFree }: MachineMemory): boolean {
  return swapTotal > 0 && swapTotal - swapFree < MOST_SWAP_USED * swapTotal
}

/**
 * The swap areas that keep memory in the clear on a disk, by name: neither compressed memory (zram) nor a mapped
 * device, which is how encrypted swap appears.
 */
export async function plainSwapAreas(path = '/proc/swaps'): Promise<string[]> {
  const text = await readFile(path, 'utf8').catch(() => '')
  const names = text.split('\n').slice(1).filter(Boolean)
  return names
    .map((line) => line.split(/\s+/)[0])
    .filter((name) => !/^\/dev\/(zram|dm-|mapper\/)/.test(name))
}
