import type { ExamineOpenClaw, FreeBytes } from '#runtimes/drivers/process/preflight'
import type { InstallPathsInput } from '#runtimes/drivers/process/install_paths'
import type { EgressSetting } from '#runtimes/drivers/process/sandbox/egress'
import type { UserRange } from '#runtimes/drivers/process/users'

/** What `config/runtime.ts` says of the process driver. */
export interface ProcessDriverConfig extends Omit<InstallPathsInput, 'node'> {
  /** The Node binary that agents run on; by default the one that Mosaic runs on. */
  node?: string
  /** The users that agents get when Mosaic is root; false lets them all run as Mosaic's own user. */
  users?: UserRange | false
  /** Size at which a log is put aside; at most twice as much is kept. */
  logBytes?: number
  /** Milliseconds that an instance gets to end when another spec replaces it. */
  replaceGraceMs?: number
  /** Whether each agent gets a sandbox; by default wherever Mosaic is root and the machine can make them. */
  sandbox?: boolean
  /** False leaves cgroups alone, as where they are not writable. */
  cgroups?: false
  /** Files that no sandbox may show, beside those that its proof makes itself. */
  seen?: string[]
  /** Set by an operator who accepts that agents of several persons run here without sandboxes. */
  unisolated?: 'accept'
  /** Whether agents in sandboxes reach the public internet; by default they do. */
  egress?: () => Promise<EgressSetting>
  examineOpenClaw?: ExamineOpenClaw
  freeBytes?: FreeBytes
  now?: () => number
}
