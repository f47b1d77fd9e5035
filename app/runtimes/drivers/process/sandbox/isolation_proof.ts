import { join } from 'node:path'
import type { RuntimeFinding } from '#runtimes/contract'
import { FileLock } from '#runtimes/drivers/process/lock'
import { ProcTable } from '#runtimes/drivers/process/proc_table'
import { installPaths, type InstallPathsInput } from '#runtimes/drivers/process/install_paths'
import { proveIsolation } from '#runtimes/drivers/process/sandbox/isolation_probe'
import type { Sandboxes } from '#runtimes/drivers/process/sandbox/sandboxes'
import type { UserRange } from '#runtimes/drivers/process/users'
import { RuntimeError } from '#runtimes/errors'

/** Longer than both probes of another process of Mosaic take. */
const LOCK_TIMEOUT_MS = 60_000

/** The kernel does not change during a process's life, so one proof suffices for all its drivers. */
let holds = false

export interface IsolationProofInput {
  sandboxes: Sandboxes
  /** The agents' folder. */
  folder: string
  paths: InstallPathsInput
  users: UserRange
  /** Files that must be invisible in a sandbox, for tests of the findings. */
  seen?: string[]
}

/** Proof that sandboxes isolate on this machine; no agent starts without it. */
export class IsolationProof {
  readonly #input: IsolationProofInput
  #running: Promise<RuntimeFinding[]> | null = null

  constructor(input: IsolationProofInput) {
    this.#input = input
  }

  /**
   * Returns what probes in sandboxes reach but should not. Empty once this process has the proof.
   *
   * @throws Error if the proof cannot run
   */
  findings(): Promise<RuntimeFinding[]> {
    if (holds && !this.#input.seen) return Promise.resolve([])
    this.#running ??= this.#prove().finally(() => (this.#running = null))
    return this.#running
  }

  /** @throws RuntimeError `not_isolated` if agents would reach what they should not */
  async require(): Promise<void> {
    const [finding] = await this.findings()
    if (finding) throw new RuntimeError('not_isolated', finding.message, { help: finding.hint })
  }

  /** Starts the proof early, before anyone waits for it. */
  begin(): void {
    void this.findings().catch(() => {})
  }

  /** Resolves when no probe is running. */
  async settled(): Promise<void> {
    await this.#running?.catch(() => {})
  }

  /** The probes always use the same addresses, so only one process may run them at a time. */
  async #prove(): Promise<RuntimeFinding[]> {
    const { sandboxes, folder, paths, users, seen } = this.#input
    const { node } = await installPaths(paths, true)
    const lock = new FileLock(new ProcTable())
    const path = join(folder, '.probes.lock')
    // The ids after the agents' range.
    const first = users.first + users.count
    const uids: [number, number] = [first, first + 1]
    const findings = await lock.run(path, { timeoutMs: LOCK_TIMEOUT_MS }, () =>
      proveIsolation({ sandboxes, uids, node, seen })
    )
    if (findings.length === 0) holds = true
    return findings
  }
}
