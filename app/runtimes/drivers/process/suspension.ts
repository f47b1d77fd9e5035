import { setTimeout as after } from 'node:timers/promises'
import type { MemoryUse } from '#runtimes/contract'
import { hasSwapRoom, kernelBytes, readMachineMemory } from '#runtimes/machine_memory'
import { readStatus } from '#runtimes/drivers/process/kernel_file'
import { signalGroup } from '#runtimes/drivers/process/terminator'
import type { AgentsHome } from '#runtimes/drivers/process/agents_home'
import type { Observer } from '#runtimes/drivers/process/observer'
import type { ProcTable } from '#runtimes/drivers/process/proc_table'
import type { Run } from '#runtimes/drivers/process/records'

/** Stopping a group takes microseconds; a process that hangs in the kernel stops later. */
const DEADLINE_MS = 2000
const LOOK_MS = 5

/** Takes an agent's CPU time, and optionally its memory, and restores them. */
export class Suspension {
  constructor(
    private readonly home: () => AgentsHome,
    private readonly observer: Observer,
    private readonly table: ProcTable
  ) {}

  /** A cgroup also holds processes that left the agent's process group; without one, signals must do. */
  async suspend(name: string, run: Run): Promise<void> {
    if (!this.home().cgroups?.freeze(name, true)) signalGroup(run.pid, 'SIGSTOP')
    await this.#settled(name, run, 'suspended')
  }

  async resume(name: string, run: Run): Promise<void> {
    this.wake(name, run)
    await this.#settled(name, run, 'running')
  }

  /** Resumes it without waiting for the effect. */
  wake(name: string, run: Run): void {
    const { cgroups } = this.home()
    cgroups?.freeze(name, false)
    signalGroup(run.pid, 'SIGCONT')
    void cgroups?.memory(name)?.restore()
  }

  /**
   * Implements `RuntimeDriver.pageOut`. Takes no lock, so that a resume does not wait; the next step notices
   * it.
   */
  async pageOut(name: string, signal: AbortSignal): Promise<void> {
    const run = await this.#run(name)
    await this.home()
      .cgroups?.memory(name)
      ?.pageOut(async () => {
        if (!run || signal.aborted || this.observer.status(name, run) !== 'suspended') return false
        const machine = await readMachineMemory()
        return machine !== null && hasSwapRoom(machine)
      })
  }

  /**
   * Implements `RuntimeDriver.usage`. Without cgroups it sums over the process group, which counts shared
   * pages repeatedly.
   */
  async usage(name: string): Promise<MemoryUse | null> {
    const run = await this.#run(name)
    if (!run || !this.table.findSame(run)) return null
    const inGroup = await this.home().cgroups?.memory(name)?.use()
    if (inGroup) return inGroup
    const pids = await this.table.inGroup(run.pid)
    const all = await Promise.all(pids.map((pid) => memoryOf(pid)))
    return {
      resident: all.reduce((sum, { resident }) => sum + resident, 0),
      swapped: all.reduce((sum, { swapped }) => sum + swapped, 0),
    }
  }

  async #run(name: string): Promise<Run | null> {
    const agents = await this.home().open()
    return (await agents.find(name))?.run ?? null
  }

  async #settled(name: string, run: Run, wanted: 'suspended' | 'running'): Promise<void> {
    const deadline = performance.now() + DEADLINE_MS
    while (this.observer.status(name, run) !== wanted && performance.now() < deadline) {
      await after(LOOK_MS)
    }
  }
}

/** Returns zeros for a process that has ended. */
async function memoryOf(pid: number): Promise<MemoryUse> {
  const text = await readStatus(pid).catch(() => '')
  const bytes = (name: string) => kernelBytes(text, name) ?? 0
  return { resident: bytes('VmRSS'), swapped: bytes('VmSwap') }
}
