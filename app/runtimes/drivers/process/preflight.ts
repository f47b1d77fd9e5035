import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { access, constants } from 'node:fs/promises'
import type { RuntimeFinding } from '#runtimes/contract'
import { diskFinding, type FreeBytes } from '#runtimes/disk_space'
import { installedOpenClaw } from '#runtimes/launch'
import { agentsFolder, type InstallPathsInput } from '#runtimes/drivers/process/install_paths'
import { ACCEPTED } from '#runtimes/drivers/process/one_person'
import { PROGRAMS } from '#runtimes/drivers/process/sandbox/sandbox'
import { plainSwapAreas } from '#runtimes/machine_memory'
import { sharedCacheFinding } from '#runtimes/drivers/process/shared_cache'
import { isRuntimeError, type RuntimeError } from '#runtimes/errors'

const run = promisify(execFile)

/** The oldest Node that OpenClaw runs on. */
const OLDEST_NODE = [24, 16] as const

/** Examines the OpenClaw package in a folder. */
export type ExamineOpenClaw = (folder: string) => Promise<RuntimeFinding[]>

/** Returns what prevents agents from running here as processes. */
export async function examine(
  input: InstallPathsInput,
  options: {
    ownUsers: boolean
    sandboxed: boolean
    /** Whether agents' memory is moved to swap on request. */
    pagesOut: boolean
    egress: Error | null
    freeBytes: FreeBytes
    examineOpenClaw?: ExamineOpenClaw
  }
): Promise<RuntimeFinding[]> {
  if (process.platform !== 'linux') return [ONLY_LINUX]
  const findings = await Promise.all([
    openclawFindings(input, options.examineOpenClaw),
    nodeFinding(input.node),
    storageFinding(input, options),
    options.ownUsers ? sharedCacheFinding() : null,
    options.pagesOut ? swapFinding() : null,
  ])
  return [
    ...findings.flat(),
    options.ownUsers ? null : SHARED_USER,
    options.sandboxed ? null : UNISOLATED,
    options.egress && sealedFinding(options.egress),
  ].filter((entry) => entry !== null)
}

const ONLY_LINUX: RuntimeFinding = {
  severity: 'error',
  code: 'process_needs_linux',
  message: 'The process driver needs Linux: it finds its agents in /proc.',
  hint: 'Use another runtime driver on this system.',
}

const SHARED_USER: RuntimeFinding = {
  severity: 'warning',
  code: 'process_shared_user',
  message: 'All agents run as the same system user, so one could read the files of another.',
  hint: 'Start Mosaic as root to give each agent a user of its own, or use a driver with containers.',
}

const UNISOLATED: RuntimeFinding = {
  severity: 'warning',
  code: 'process_unisolated',
  message:
    'Agents get no sandboxes here: one could read which ports others have, answer in their place, and reach ' +
    'services of this machine. So Mosaic starts agents of one person only.',
  hint:
    `Run Mosaic as root on Linux with the programs ${PROGRAMS.join(', ')} (packages util-linux, coreutils, mount ` +
    `and iproute2), or use a driver with containers. ${ACCEPTED} accepts the risk.`,
}

function sealedFinding({ message }: Error): RuntimeFinding {
  return {
    severity: 'warning',
    code: 'process_egress_closed',
    message: `Agents do not reach the internet, though the settings allow it: ${message}`,
    hint: 'Install iptables, or seal the egress of agents in the settings.',
  }
}

async function swapFinding(): Promise<RuntimeFinding | null> {
  const areas = await plainSwapAreas()
  if (areas.length === 0) return null
  return {
    severity: 'warning',
    code: 'process_swap_plain',
    message: `The memory of resting agents moves to ${areas.join(', ')}, where it lies unencrypted on a disk.`,
    hint: 'Use zram or an encrypted swap, or set agents.rest to off.',
  }
}

async function openclawFindings(
  input: InstallPathsInput,
  examineOpenClaw: ExamineOpenClaw = async () => []
): Promise<RuntimeFinding[]> {
  try {
    return await examineOpenClaw(installedOpenClaw(input.openclaw))
  } catch (error) {
    return [finding('openclaw_missing', error)]
  }
}

async function nodeFinding(node: string): Promise<RuntimeFinding | null> {
  const [major, minor] = OLDEST_NODE
  const hint = `Agents need Node ${major}.${minor} or newer. "npm run quickstart" brings one.`
  try {
    const { stdout } = await run(node, ['--version'], { timeout: 10_000 })
    const [, haveMajor, haveMinor] = /^v(\d+)\.(\d+)/.exec(stdout)?.map(Number) ?? []
    if (haveMajor > major || (haveMajor === major && haveMinor >= minor)) return null
    const message = `Agents would run on Node ${stdout.trim()}, which is too old for OpenClaw.`
    return { severity: 'error', code: 'node_too_old', message, hint }
  } catch {
    const message = `There is no Node that runs at ${node}.`
    return { severity: 'error', code: 'node_missing', message, hint }
  }
}

async function storageFinding(
  input: InstallPathsInput,
  { ownUsers, freeBytes: free }: { ownUsers: boolean; freeBytes: FreeBytes }
): Promise<RuntimeFinding | null> {
  try {
    const folder = (await agentsFolder(input, ownUsers)).replace(/\/agents$/, '')
    await access(folder, constants.W_OK)
    return diskFinding(await free(folder), folder)
  } catch (error) {
    if (isRuntimeError(error)) return finding('storage_closed', error)
    return {
      severity: 'error',
      code: 'storage_not_writable',
      message: `Mosaic cannot write into ${input.storage}.`,
      hint: `Give the user that Mosaic runs as the right to write there, or set STORAGE_PATH to another folder.`,
    }
  }
}

function finding(code: string, error: unknown): RuntimeFinding {
  const { message, help } = error as RuntimeError
  return { severity: 'error', code, message, hint: help ?? '' }
}
