import type { FreeBytes } from '#runtimes/disk_space'
import type { ExamineOpenClaw } from '#runtimes/drivers/process/preflight'
import type { InstallPathsInput } from '#runtimes/drivers/process/install_paths'
import type { EgressSetting } from '#runtimes/drivers/process/sandbox/egress'
import type { UserRange } from '#runtimes/drivers/process/users'

/** The process driver's options in `config/runtime.ts`. */
export interface ProcessDriverConfig extends Omit<InstallPathsInput, 'node'> {
  /** The agents' Node binary; defaults to Mosaic's. */
  node?: string
  /** The agents' users when Mosaic is root; false runs all agents as Mosaic's own user. */
  users?: UserRange | false
  /** Size at which a log is rotated; at most twice as much is kept. */
  logBytes?: number
  /** Grace of an instance that another spec replaces, in milliseconds. */
  replaceGraceMs?: number
  /** Whether each agent gets a sandbox; by default if Mosaic is root and the machine supports them. */
  sandbox?: boolean
  /** False disables cgroups, for example if they are not writable. */
  cgroups?: false
  /** Files that must be invisible in sandboxes, besides those that the proof creates itself. */
  seen?: string[]
  /** Set by an operator who accepts agents of several people without sandboxes. */
  unisolated?: 'accept'
  /** Whether sandboxed agents reach the public internet; by default they do. */
  egress?: () => Promise<EgressSetting>
  examineOpenClaw?: ExamineOpenClaw
  freeBytes?: FreeBytes
  now?: () => number
}
