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

/** Milliseconds until bubblewrap has made a sandbox. */
const SANDBOX_MS = 10_000
/** The user that an agent sees itself as. */
const AGENT = '1000'
/** Programs and libraries of the system, as far as they are there. */
const SYSTEM = ['/usr', '/bin', '/sbin', '/lib', '/lib64']
/** What of /etc a program needs for names, certificates and time. */
const SETTINGS = ['resolv.conf', 'hosts', 'nsswitch.conf', 'ssl', 'ca-certificates', 'localtime']

/**
 * The first arguments of every sandbox: the machine's programs read-only, a process tree of its own, and no
 * capability.
 */
export function bareSandbox(): string[] {
  return [
    ...SYSTEM.flatMap((path) => ['--ro-bind-try', path, path]),
    ...['--proc', '/proc', '--dev', '/dev', '--tmpfs', '/tmp'],
    ...['--unshare-user-try', '--uid', AGENT, '--gid', AGENT],
    ...['--unshare-pid', '--unshare-ipc', '--unshare-uts', '--unshare-cgroup-try'],
    ...['--cap-drop', 'ALL', '--new-session'],
  ]
}

/** A process, told apart from a later one of the same number. */
export interface SandboxProcess {
  pid: number
  startTicks: string
}

export interface SandboxEnd {
  code: number | null
  signal: NodeJS.Signals | null
}

/**
 * Starts the launcher in a sandbox: the machine's programs read-only, the agent's own folder, a process tree and a
 * /tmp of its own, no capability, and the machine's network.
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
  // The package needs those beside it.
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
      // The folders that hold the mounts are memory: nobody writes there.
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
  return { process: { pid, startTicks: startTicksOf(pid) ?? '' }, ended }
}

/** bubblewrap's first line of status names the sandbox's first process. */
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

/** When a process started, in ticks of the kernel, or null where it is gone or ended. */
function startTicksOf(pid: number): string | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
    const [state, ...fields] = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return state === 'Z' ? null : fields[18]
  } catch {
    return null
  }
}

export function runs({ pid, startTicks }: SandboxProcess): boolean {
  return startTicksOf(pid) === startTicks
}

/** Asks the sandbox to end, kills it after `graceMs`, and resolves once it is gone: with it go all its processes. */
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
