import { setTimeout as after } from 'node:timers/promises'
import { signalGroup } from '#runtimes/drivers/process/terminator'
import type { AgentCgroups } from '#runtimes/drivers/process/sandbox/cgroups'
import type { Observer } from '#runtimes/drivers/process/observer'
import type { Run } from '#runtimes/drivers/process/records'

/** Stopping a group takes microseconds; a process that hangs in the kernel stops later. */
const DEADLINE_MS = 2000
const LOOK_MS = 5

/** Suspends agents and resumes them. */
export class Suspension {
  constructor(
    private readonly observer: Observer,
    private readonly cgroups: () => AgentCgroups | null
  ) {}

  /** A cgroup also holds processes that left the agent's process group; without one, signals must do. */
  async suspend(name: string, run: Run): Promise<void> {
    if (!this.cgroups()?.freeze(name, true)) signalGroup(run.pid, 'SIGSTOP')
    await this.#settled(name, run, 'suspended')
  }

  async resume(name: string, run: Run): Promise<void> {
    this.wake(name, run)
    await this.#settled(name, run, 'running')
  }

  /** Resumes it without waiting for the effect. */
  wake(name: string, run: Run): void {
    this.cgroups()?.freeze(name, false)
    signalGroup(run.pid, 'SIGCONT')
  }

  async #settled(name: string, run: Run, wanted: 'suspended' | 'running'): Promise<void> {
    const deadline = performance.now() + DEADLINE_MS
    while (this.observer.status(name, run) !== wanted && performance.now() < deadline) {
      await after(LOOK_MS)
    }
  }
}
