import { readKernelFile } from '#runtimes/drivers/process/kernel_file'
import { randomUUID } from 'node:crypto'
import { chmodSync, existsSync, mkdirSync, rmdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { cgroupMemory, type CgroupMemory } from '#runtimes/cgroup_memory'
import type { InstanceLimits } from '#runtimes/contract'

const ROOT = '/sys/fs/cgroup'
const PERIOD_US = 100_000
/** Processes of the sandbox itself: the first one. */
const OWN_PROCESSES = 1

/** Name and limits of a trial group that shows what the kernel supports. Two processes may try it at once. */
const TRIAL = `mosaic-trial-${randomUUID()}`
const TRIAL_LIMITS: InstanceLimits = { memoryMb: 64, cpus: 1, processes: 8 }

const CONTROLLERS = ['memory', 'cpu', 'pids'] as const

/** The kernel's means here: limits, and freezing or killing all processes of an agent at once. */
export interface AgentCgroups {
  /** Whether memory, processors and processes are limited as in the spec. */
  readonly limits: boolean
  /** Creates the agent's group. A process joins it by writing 0 to the returned files. */
  prepare(name: string, limits: InstanceLimits): string[]
  /**
   * Freezes or thaws all processes of the group. Returns false if there is no such group or it cannot
   * be frozen.
   */
  freeze(name: string, frozen: boolean): boolean
  isFrozen(name: string): boolean
  /** Returns the memory of an agent's group, or null if there is no such group. */
  memory(name: string): CgroupMemory | null
  /** Returns how many of its processes were killed for lack of memory; null without such a group or count. */
  outOfMemoryKills(name: string): number | null
  /** Kills all processes of the group, however fast it forks. */
  kill(name: string): void
  /** Removes the group once it is empty; `.` removes the group of the whole folder. */
  remove(name: string): void
}

/** Returns the cgroups of one agents' folder, or null if this process may not create any. */
export function openCgroups(key: string, root = ROOT): AgentCgroups | null {
  try {
    if (existsSync(join(root, 'cgroup.controllers'))) return new UnifiedCgroups(root, key)
    return new SplitCgroups(root, key)
  } catch {
    return null
  }
}

/** Cgroup features available for agents here. */
export interface CgroupAbilities {
  /** Whether memory, CPU and process count can be limited. */
  limits: boolean
  /** Whether memory can be moved to swap on request. */
  pageOut: boolean
}

export function cgroupAbilities(root = ROOT): CgroupAbilities {
  const trial = openCgroups(TRIAL, root)
  const pageOut = attempt(() => trial?.prepare('trial', TRIAL_LIMITS))
    ? (trial?.memory('trial')?.canPageOut ?? false)
    : false
  trial?.remove('trial')
  trial?.remove('.')
  return { limits: trial?.limits ?? false, pageOut }
}

/** Version 2: one tree. Every group can be frozen and killed; limits require delegated controllers. */
class UnifiedCgroups implements AgentCgroups {
  readonly limits: boolean
  readonly #root: string
  readonly #path: string

  constructor(root: string, key: string) {
    this.#root = root
    this.#path = join(root, key)
    this.limits = this.#open()
  }

  prepare(name: string, limits: InstanceLimits): string[] {
    const path = join(this.#path, name)
    this.#open()
    mkdirSync(path, { recursive: true })
    if (this.limits) {
      writeFileSync(join(path, 'memory.max'), String(bytes(limits)))
      attempt(() => writeFileSync(join(path, 'memory.swap.max'), '0'))
      writeFileSync(join(path, 'cpu.max'), `${quotaUs(limits)} ${PERIOD_US}`)
      writeFileSync(join(path, 'pids.max'), String(limits.processes + OWN_PROCESSES))
    }
    this.freeze(name, false)
    return [join(path, 'cgroup.procs')]
  }

  freeze(name: string, frozen: boolean): boolean {
    const file = join(this.#path, name, 'cgroup.freeze')
    return attempt(() => writeFileSync(file, frozen ? '1' : '0', KEEP))
  }

  isFrozen(name: string): boolean {
    return read(join(this.#path, name, 'cgroup.freeze')).trim() === '1'
  }

  memory(name: string): CgroupMemory | null {
    return cgroupMemory(join(this.#path, name))
  }

  outOfMemoryKills(name: string): number | null {
    return killsIn(join(this.#path, name, 'memory.events'))
  }

  kill(name: string): void {
    attempt(() => writeFileSync(join(this.#path, name, 'cgroup.kill'), '1', KEEP))
  }

  remove(name: string): void {
    attempt(() => rmdirSync(join(this.#path, name)))
  }

  /** Whether the controllers are delegated to the agents' groups; tries to delegate them if not. */
  #open(): boolean {
    makeUnlisted(this.#path)
    const all = CONTROLLERS.map((controller) => `+${controller}`).join(' ')
    for (const folder of [this.#root, this.#path]) {
      const file = join(folder, 'cgroup.subtree_control')
      if (!isHandedDown(file)) attempt(() => writeFileSync(file, all, KEEP))
    }
    return isHandedDown(join(this.#path, 'cgroup.subtree_control'))
  }
}

function isHandedDown(file: string): boolean {
  const names = read(file).trim().split(/\s+/)
  return CONTROLLERS.every((controller) => names.includes(controller))
}

/** Version 1: one tree per controller. Killing one by one is safe because the group is frozen first. */
class SplitCgroups implements AgentCgroups {
  readonly limits: boolean
  readonly #root: string
  readonly #key: string
  readonly #controllers: string[]

  constructor(root: string, key: string) {
    this.#root = root
    this.#key = key
    this.#controllers = [...CONTROLLERS, 'freezer'].filter((controller) => this.#usable(controller))
    if (this.#controllers.length === 0) throw new Error('No cgroups')
    this.limits = CONTROLLERS.every((controller) => this.#controllers.includes(controller))
  }

  prepare(name: string, limits: InstanceLimits): string[] {
    for (const controller of this.#controllers) {
      mkdirSync(this.#at(controller, name), { recursive: true })
    }
    const set = (controller: string, file: string, value: number) => {
      if (this.#controllers.includes(controller)) {
        writeFileSync(this.#at(controller, name, file), String(value), KEEP)
      }
    }
    // An earlier limit on memory with swap may be lower than the new limit on memory alone.
    attempt(() => set('memory', 'memory.memsw.limit_in_bytes', -1))
    set('memory', 'memory.limit_in_bytes', bytes(limits))
    attempt(() => set('memory', 'memory.memsw.limit_in_bytes', bytes(limits)))
    set('cpu', 'cpu.cfs_period_us', PERIOD_US)
    set('cpu', 'cpu.cfs_quota_us', quotaUs(limits))
    set('pids', 'pids.max', limits.processes + OWN_PROCESSES)
    this.freeze(name, false)
    return this.#controllers.map((controller) => this.#at(controller, name, 'cgroup.procs'))
  }

  freeze(name: string, frozen: boolean): boolean {
    const state = frozen ? 'FROZEN' : 'THAWED'
    return attempt(() => writeFileSync(this.#at('freezer', name, 'freezer.state'), state, KEEP))
  }

  isFrozen(name: string): boolean {
    return /^FR/.test(read(this.#at('freezer', name, 'freezer.state')))
  }

  memory(name: string): CgroupMemory | null {
    return cgroupMemory(this.#at('memory', name))
  }

  outOfMemoryKills(name: string): number | null {
    return killsIn(this.#at('memory', name, 'memory.oom_control'))
  }

  kill(name: string): void {
    const [controller] = this.#controllers
    const pids = () =>
      read(this.#at(controller, name, 'cgroup.procs'))
        .split('\n')
        .filter(Boolean)
    this.freeze(name, true)
    for (const pid of pids()) attempt(() => process.kill(Number(pid), 'SIGKILL'))
    this.freeze(name, false)
  }

  remove(name: string): void {
    for (const controller of this.#controllers) attempt(() => rmdirSync(this.#at(controller, name)))
  }

  #at(controller: string, ...parts: string[]): string {
    return join(this.#root, controller, this.#key, ...parts)
  }

  #usable(controller: string): boolean {
    if (!existsSync(join(this.#root, controller, 'cgroup.procs'))) return false
    return attempt(() => makeUnlisted(this.#at(controller)))
  }
}

/** Never creates a file: outside a cgroup it would look like success. */
const KEEP = { flag: 'r+' } as const

/** Agents see the tree. They may find their own group, but not the names of others. */
function makeUnlisted(path: string): void {
  mkdirSync(path, { recursive: true })
  chmodSync(path, 0o711)
}

function bytes({ memoryMb }: InstanceLimits): number {
  return memoryMb * 1024 * 1024
}

function quotaUs({ cpus }: InstanceLimits): number {
  return Math.max(1000, Math.round(cpus * PERIOD_US))
}

function killsIn(file: string): number | null {
  const [, kills] = /^oom_kill (\d+)$/m.exec(read(file)) ?? []
  return kills === undefined ? null : Number(kills)
}

function attempt(task: () => unknown): boolean {
  try {
    task()
    return true
  } catch {
    return false
  }
}

const read = (path: string) => readKernelFile(path) ?? ''
