import { openSync, readdirSync } from 'node:fs'
import type { StdioOptions } from 'node:child_process'
import { readKernelFile } from '#runtimes/drivers/process/kernel_file'

const FD_INFO = '/proc/self/fdinfo'

/** How the kernel writes that a descriptor ends with `exec`. */
const CLOSES_ON_EXEC = 0o2000000

/** What Mosaic was started with does not change, nor does what stands in for it. */
let inherited: Set<number> | null = null
let nothing: number | null = null

/**
 * What a child is given of descriptors, and /dev/null in place of those that whoever started Mosaic left open:
 * a supervisor's pipe or log. Node itself closes such descriptors for its children up to the first gap alone.
 */
export function nothingElse(stdio: (number | 'ignore' | 'pipe')[]): StdioOptions {
  inherited ??= readInherited()
  const highest = Math.max(-1, ...inherited)
  const others = Array.from({ length: Math.max(0, highest + 1 - stdio.length) }, (_, at) =>
    inherited!.has(stdio.length + at) ? (nothing ??= openSync('/dev/null', 'r+')) : 'ignore'
  )
  return [...stdio, ...others]
}

/** The descriptors of this process that its children would have too; none where the kernel does not say. */
function readInherited(): Set<number> {
  try {
    return new Set(readdirSync(FD_INFO).map(Number).filter(isInherited))
  } catch {
    return new Set()
  }
}

/** Not the one that the list was read with, which is gone by then. */
function isInherited(descriptor: number): boolean {
  const flags = /^flags:\s*(\d+)$/m.exec(readKernelFile(`${FD_INFO}/${descriptor}`) ?? '')
  return flags !== null && (Number.parseInt(flags[1], 8) & CLOSES_ON_EXEC) === 0
}
