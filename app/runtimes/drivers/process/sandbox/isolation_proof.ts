import { join } from 'node:path'
import type { RuntimeFinding } from '#runtimes/contract'
import { FileLock } from '#runtimes/drivers/process/lock'
import { ProcTable } from '#runtimes/drivers/process/proc_table'
import { installPaths, type InstallPathsInput } from '#runtimes/drivers/process/install_paths'
import { proveIsolation } from '#runtimes/drivers/process/sandbox/isolation_probe'
import type { Sandboxes } from '#runtimes/drivers/process/sandbox/sandboxes'
import type { UserRange } from '#runtimes/drivers/process/users'
import { RuntimeError } from '#runtimes/errors'

/** Both probes of another process of Mosaic take less. */
const LOCK_TIMEOUT_MS = 60_000

/** Kernels do not change while a process lives: one proof does for all drivers in it. */
let holds = false

export interface IsolationProofInput {
  sandboxes: Sandboxes
  /** The folder of the agents. */
  folder: string
  paths: InstallPathsInput
  users: UserRange
  /** Files that a sandbox must not show, for tests of what is found. */
  seen?: string[]
}

/** That sandboxes hold on this machine, which no agent starts without. */
export class IsolationProof {
  readonly #input: IsolationProofInput
  #running: Promise<RuntimeFinding[]> | null = null

  constructor(input: IsolationProofInput) {
    this.#input = input
  }

  /**
   * What probes in sandboxes reach that they should not. Empty once it was proven in this process.
   *
   * @throws Error where the proof cannot be made
   */
  findings(): Promise<RuntimeFinding[]> {
    if (holds && !this.#input.seen) return Promise.resolve([])
    this.#running ??= this.#prove().finally(() => (this.#running = null))
    return this.#running
  }

  /** @throws RuntimeError `not_isolated` where agents would reach what they should not */
  async require(): Promise<void> {
    const [finding] = await this.findings()
    if (finding) throw new RuntimeError('not_isolated', finding.message, { help: finding.hint })
  }

  /** Begins before anybody waits for it. */
  begin(): void {
    void this.findings().catch(() => {})
  }

  /** Resolves when no probe runs. */
  async settled(): Promise<void> {
    await this.#running?.catch(() => {})
  }

  /** Both probes always have the same addresses: only one process has them at a time. */
  async #prove(): Promise<RuntimeFinding[]> {
    const { sandboxes, folder, paths, users, seen } = this.#input
    const { node } = await installPaths(paths, true)
    const lock = new FileLock(new ProcTable())
    const path = join(folder, '.probes.lock')
    // Just beyond those of agents.
    const first = users.first + users.count
    const uids: [number, number] = [first, first + 1]
    const findings = await lock.run(path, { timeoutMs: LOCK_TIMEOUT_MS }, () =>
      proveIsolation({ sandboxes, uids, node, seen })
    )
    if (findings.length === 0) holds = true
    return findings
  }
}
