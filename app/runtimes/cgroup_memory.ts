import { constants, existsSync } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { MemoryUse } from '#runtimes/contract'

/** Bytes moved per step: small, so that a wake during a page-out waits briefly. */
const STEP_BYTES = 64 * 1024 * 1024
/** Bytes that stay resident: the last pages cost the most and save the least. */
const FLOOR_BYTES = 32 * 1024 * 1024
/** Never creates a file: if one is missing, the kernel does not offer the feature. */
const KEEP = { flag: constants.O_WRONLY | constants.O_TRUNC }

/** The memory of one control group. */
export interface CgroupMemory {
  /** Whether its memory can be moved to swap on request. */
  readonly canPageOut: boolean
  /** Returns null once the group is gone. */
  use(): Promise<MemoryUse | null>
  /**
   * Moves memory to swap step by step, as long as `goesOn` allows. Ends without an error when the kernel
   * moves no more.
   */
  pageOut(goesOn: () => Promise<boolean>): Promise<void>
  /** Restores the limits changed by a page-out, including one that an earlier process left unfinished. */
  restore(): Promise<void>
}

/** Returns the memory of the cgroup in this folder, version 1 or 2; null if there is none. */
export function cgroupMemory(folder: string): CgroupMemory | null {
  if (existsSync(join(folder, 'memory.current'))) return new UnifiedMemory(folder)
  if (existsSync(join(folder, 'memory.usage_in_bytes'))) return new SplitMemory(folder)
  return null
}

/** Version 2 reclaims on request. Running agents may not swap, so a page-out allows it first. */
class UnifiedMemory implements CgroupMemory {
  readonly canPageOut: boolean

  constructor(private readonly folder: string) {
    this.canPageOut = existsSync(join(folder, 'memory.reclaim'))
  }

  async use(): Promise<MemoryUse | null> {
    const resident = await readBytes(this.folder, 'memory.current')
    if (resident === null) return null
    return { resident, swapped: (await readBytes(this.folder, 'memory.swap.current')) ?? 0 }
  }

  /** If the group resumes during a step, the resume or this call restores its limit, whichever is later. */
  async pageOut(goesOn: () => Promise<boolean>): Promise<void> {
    if (!this.canPageOut) return
    let isOver = false
    try {
      for (let isFirst = true; ; isFirst = false) {
        const use = await this.use()
        if (!use || use.resident <= FLOOR_BYTES) return
        isOver = !(await goesOn())
        if (isOver) return
        if (isFirst) await write(this.folder, 'memory.swap.max', 'max')
        const step = Math.min(STEP_BYTES, use.resident - FLOOR_BYTES)
        if (!(await write(this.folder, 'memory.reclaim', String(step)))) return
      }
    } finally {
      if (isOver || !(await goesOn().catch(() => false))) await this.restore()
    }
  }

  async restore(): Promise<void> {
    if (this.canPageOut) await write(this.folder, 'memory.swap.max', '0')
  }
}

/**
 * Version 1 reclaims when its limit is lowered. The combined limit on memory and swap stays unchanged and
 * provides the value to restore, so a group without one is left alone.
 */
class SplitMemory implements CgroupMemory {
  readonly canPageOut: boolean

  constructor(private readonly folder: string) {
    this.canPageOut = existsSync(join(folder, 'memory.memsw.limit_in_bytes'))
  }

  async use(): Promise<MemoryUse | null> {
    const resident = await readBytes(this.folder, 'memory.usage_in_bytes')
    if (resident === null) return null
    const both = (await readBytes(this.folder, 'memory.memsw.usage_in_bytes')) ?? resident
    return { resident, swapped: Math.max(0, both - resident) }
  }

  async pageOut(goesOn: () => Promise<boolean>): Promise<void> {
    if (!this.canPageOut) return
    try {
      for (;;) {
        const use = await this.use()
        if (!use || use.resident <= FLOOR_BYTES || !(await goesOn())) return
        const limit = Math.max(FLOOR_BYTES, use.resident - STEP_BYTES)
        if (!(await write(this.folder, 'memory.limit_in_bytes', String(limit)))) return
      }
    } finally {
      await this.restore()
    }
  }

  async restore(): Promise<void> {
    const usual = await readBytes(this.folder, 'memory.memsw.limit_in_bytes')
    if (usual !== null) await write(this.folder, 'memory.limit_in_bytes', String(usual))
  }
}

async function readBytes(folder: string, file: string): Promise<number | null> {
  const text = await readFile(join(folder, file), 'utf8').catch(() => '')
  return /^\d+$/.test(text.trim()) ? Number(text) : null
}

/** Returns false if the kernel refuses, for example because it finds nothing more to move. */
async function write(folder: string, file: string, value: string): Promise<boolean> {
  return writeFile(join(folder, file), value, KEEP).then(
    () => true,
    () => false
  )
}
