import { spawn } from 'node:child_process'
import { closeSync, constants, openSync, readFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import type { Readable } from 'node:stream'
import { readLines } from '@mosaic/plugin-kit'
import {
  launcherEnvironment,
  RuntimeError,
  type InstanceSpec,
  type RuntimeLaunch,
} from '@mosaic/plugin-kit/runtime'
import type { AgentFolder } from './agent_folder.ts'

/** Milliseconds to wait for bubblewrap to create a sandbox. */
export const SANDBOX_MS = 10_000
/** User id of the agent inside its sandbox. */
const AGENT = '1000'
/** System programs and libraries, bound if they exist. */
const SYSTEM = ['/usr', '/bin', '/sbin', '/lib', '/lib64']
/** Entries of /etc that programs need for name resolution, certificates and time. */
const SETTINGS = ['resolv.conf', 'hosts', 'nsswitch.conf', 'ssl', 'ca-certificates', 'localtime']

/**
 * First arguments of every sandbox: the machine's programs read-only, its own process tree, no capabilities.
 */
export function bareSandbox(): string[] {
  return [
    ...SYSTEM.flatMap((path) => ['--ro-bind-try', path, path]),
    ...['--proc', '/proc', '--dev', '/dev', '--tmpfs', '/tmp'],
    ...['--unshare-user-try', '--uid', AGENT, '--gid', AGENT],
    ...['--unshare-pid', '--unshare-ipc', '--unshare-cgroup-try'],
    // OpenClaw tells its provider the name of its host.
    ...['--unshare-uts', '--hostname', 'agent'],
    ...['--cap-drop', 'ALL', '--new-session'],
  ]
}

/** A process, distinguishable from a later one with the same PID. */
export interface SandboxProcess {
  pid: number
  startTicks: string
}

export interface SandboxEnd {
  code: number | null
  signal: NodeJS.Signals | null
}

/**
 * Starts the launcher in a sandbox: the machine's programs read-only, the agent's own folder, its own process
 * tree and /tmp, no capabilities, and the machine's network.
 *
 * @throws RuntimeError `internal` when bubblewrap fails
 */
export async function startSandbox(
  spec: InstanceSpec,
  folder: AgentFolder,
  launch: RuntimeLaunch,
  { port, readable }: { port: number; readable: string[] }
): Promise<{ process: SandboxProcess; ended: Promise<SandboxEnd> }> {
  const openclaw = launch.openclaw()
  // OpenClaw needs its sibling packages.
  const packages = basename(dirname(openclaw)) === 'node_modules' ? dirname(openclaw) : openclaw
  const inside = '/opt/openclaw/node_modules'
  const node = join('/opt/node', basename(launch.node))
  const env = launcherEnvironment({
    spec,
    places: {
      state: '/agent/state',
      home: '/agent/home',
      cache: '/agent/cache',
      temporary: '/tmp',
      secrets: '/run/mosaic/secrets.json',
    },
    node,
    openclaw: packages === openclaw ? inside : join(inside, basename(openclaw)),
    port,
    bind: 'loopback',
  })
  const { O_APPEND, O_CREAT, O_WRONLY, O_NOFOLLOW } = constants
  const log = openSync(folder.log, O_APPEND | O_CREAT | O_WRONLY | O_NOFOLLOW, 0o600)
  const child = spawn(
    'bwrap',
    [
      ...bareSandbox(),
      ...SETTINGS.flatMap((name) => ['--ro-bind-try', `/etc/${name}`, `/etc/${name}`]),
      ...readable.flatMap((path) => ['--ro-bind-try', path, path]),
      ...['--ro-bind', launch.node, node],
      ...['--ro-bind', packages, inside],
      ...['--ro-bind', launch.launcher, '/run/mosaic/launcher.sh'],
      ...['--ro-bind', folder.secrets, '/run/mosaic/secrets.json'],
      ...['--bind', folder.agent, '/agent', '--chdir', '/agent/state'],
      // The folders that hold the mounts are in memory, so make them read-only.
      ...['--remount-ro', '/', '--as-pid-1', '--json-status-fd', '3'],
      ...['/bin/sh', '/run/mosaic/launcher.sh'],
    ],
    { cwd: '/', detached: true, env, stdio: ['ignore', log, log, 'pipe'] }
  )
  closeSync(log)
  const ended = new Promise<SandboxEnd>((resolve) => {
    child.once('exit', (code, signal) => resolve({ code, signal }))
    child.once('error', () => resolve({ code: null, signal: null }))
  })
  child.unref()
  const pid = await childPid(child.stdio[3] as Readable)
  return { process: sandboxProcess(pid), ended }
}

/** The first status line of bubblewrap names the sandbox's first process. */
async function childPid(status: Readable): Promise<number> {
  const limits = {
    what: 'The status of bubblewrap',
    maxLineBytes: 4096,
    signal: AbortSignal.timeout(SANDBOX_MS),
  }
  try {
    for await (const line of readLines(status, limits)) {
      const pid = (JSON.parse(line) as Record<string, unknown>)['child-pid']
      if (typeof pid === 'number') return pid
    }
  } catch (cause) {
    throw new RuntimeError('internal', 'bubblewrap did not make a sandbox.', { cause, help: HELP })
  }
  throw new RuntimeError('internal', 'bubblewrap ended before it made a sandbox.', { help: HELP })
}

const HELP = 'The log of the agent has the words of bubblewrap. Check that the machine allows it.'

/** Returns when a process started, in kernel ticks, or null if it has ended. */
function startTicksOf(pid: number): string | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
    const [state, ...fields] = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return state === 'Z' ? null : fields[18]
  } catch {
    return null
  }
}

export function sandboxProcess(pid: number): SandboxProcess {
  return { pid, startTicks: startTicksOf(pid) ?? '' }
}

export function runs({ pid, startTicks }: SandboxProcess): boolean {
  return startTicksOf(pid) === startTicks
}

/**
 * Asks the sandbox to stop, kills it after `graceMs`, and resolves once it and all its processes are gone.
 */
export async function endSandbox(process_: SandboxProcess, graceMs: number): Promise<void> {
  if (graceMs > 0) send(process_, 'SIGTERM')
  const killAt = performance.now() + graceMs
  while (runs(process_)) {
    if (performance.now() >= killAt) send(process_, 'SIGKILL')
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

function send(process_: SandboxProcess, name: NodeJS.Signals): void {
  try {
    if (runs(process_)) process.kill(process_.pid, name)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}
