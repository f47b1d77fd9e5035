import { openSync, readdirSync } from 'node:fs'
import type { StdioOptions } from 'node:child_process'
import { readKernelFile } from '#runtimes/drivers/process/kernel_file'

const FD_INFO = '/proc/self/fdinfo'

/** The close-on-exec flag as the kernel prints it. */
const CLOSES_ON_EXEC = 0o2000000

/** The inherited descriptors never change, nor does their replacement. */
let inherited: Set<number> | null = null
let nothing: number | null = null

/**
 * Returns a child's descriptors, with /dev/null for those that Mosaic inherited, such as a supervisor's
 * pipe or log. Node closes them for children only up to the first gap.
 */
export function nothingElse(stdio: (number | 'ignore' | 'pipe')[]): StdioOptions {
  inherited ??= readInherited()
  const highest = Math.max(-1, ...inherited)
  const others = Array.from({ length: Math.max(0, highest + 1 - stdio.length) }, (_, at) =>
    inherited!.has(stdio.length + at) ? (nothing ??= openSync('/dev/null', 'r+')) : 'ignore'
  )
  return [...stdio, ...others]
}

/** Returns the descriptors that children would inherit; none if the kernel does not report them. */
function readInherited(): Set<number> {
  try {
    return new Set(readdirSync(FD_INFO).map(Number).filter(isInherited))
  } catch {
    return new Set()
  }
}

/** Excludes the descriptor used for the listing, which is closed by now. */
function isInherited(descriptor: number): boolean {
  const flags = /^flags:\s*(\d+)$/m.exec(readKernelFile(`${FD_INFO}/${descriptor}`) ?? '')
  return flags !== null && (Number.parseInt(flags[1], 8) & CLOSES_ON_EXEC) === 0
}
