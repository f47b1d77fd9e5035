import os from 'node:os'
import type { Readable } from 'node:stream'
import { spawn, type ChildProcess } from 'node:child_process'
import { constants, type FileHandle, open } from 'node:fs/promises'
import { RuntimeError } from '#runtimes/errors'
import { launcherEnvironment } from '#runtimes/launch'
import type { InstanceSpec } from '#runtimes/contract'
import type { InstallPaths } from '#runtimes/drivers/process/install_paths'
import { FOLDER_MARK, type AgentFolder } from '#runtimes/drivers/process/agent_folder'
import { nothingElse } from '#runtimes/drivers/process/inherited_files'
import {
  sandboxScript,
  UNSHARE,
  type SandboxInput,
} from '#runtimes/drivers/process/sandbox/sandbox'
import type { View } from '#runtimes/drivers/process/sandbox/view'

/** Creating a sandbox takes some hundredths of a second. */
const SANDBOX_MS = 10_000
/** Enough of a failed sandbox's output. */
const SAID = 2000

interface ProcessEnd {
  code: number | null
  signal: NodeJS.Signals | null
}

/** A started process and its eventual end. */
export interface Launched {
  pid: number
  exited: Promise<ProcessEnd>
}

/** The program to start, and its environment. */
export interface Launch {
  spec: InstanceSpec
  folder: AgentFolder
  paths: InstallPaths
  /** The gateway's port: on loopback, or on every address of a sandbox. */
  port: number
  /** Null if it runs among the machine's own processes. */
  sandbox: { view: View; input: Omit<SandboxInput, 'command'> } | null
}

/**
 * Starts the launcher in a session of its own, so that it outlives Mosaic. It inherits nothing of
 * Mosaic's environment, and its own environment and arguments hold no secret.
 *
 * @throws RuntimeError `no_capacity` or `internal` if the system cannot start a process
 */
export async function spawnLauncher(launch: Launch): Promise<Launched> {
  const { O_APPEND, O_CREAT, O_WRONLY, O_NOFOLLOW } = constants
  const log = await open(launch.folder.log, O_APPEND | O_CREAT | O_WRONLY | O_NOFOLLOW, 0o600)
  try {
    return await (launch.sandbox ? inSandbox(launch, launch.sandbox, log) : bare(launch, log))
  } finally {
    await log.close()
  }
}

/** Shells name the limit on a user's processes differently. */
const LIMITED = '{ ulimit -u "$0" || ulimit -p "$0"; } 2>/dev/null; exec /bin/sh "$1"'

async function bare(launch: Launch, log: FileHandle): Promise<Launched> {
  const { spec, folder, paths } = launch
  // A shared user's processes are not all the agent's, so a limit on them cannot be the agent's.
  const words = folder.user
    ? ['-c', LIMITED, String(spec.limits.processes), paths.entrypoint]
    : [paths.entrypoint]
  const child = spawn('/bin/sh', words, {
    ...(folder.user ?? {}),
    cwd: folder.state,
    detached: true,
    env: environment(launch),
    stdio: nothingElse(['ignore', log.fd, log.fd]),
  })
  const exited = endOf(child)
  await begun(child)
  return { pid: child.pid!, exited }
}

async function inSandbox(
  launch: Launch,
  { view, input }: NonNullable<Launch['sandbox']>,
  log: FileHandle
): Promise<Launched> {
  const script = sandboxScript({ ...input, command: ['/bin/sh', view.programs.entrypoint] })
  const child = spawn('unshare', [...UNSHARE, '/bin/sh', '-c', script], {
    cwd: '/',
    detached: true,
    env: environment(launch),
    stdio: nothingElse(['ignore', log.fd, log.fd, 'pipe']),
  })
  const exited = endOf(child).then(asTold)
  await begun(child)
  return { pid: await firstProcess(child), exited }
}

/** Listens immediately: the child may end before any caller could listen. */
function endOf(child: ChildProcess): Promise<ProcessEnd> {
  return new Promise((resolve) => {
    child.once('exit', (code, signal) => resolve({ code, signal }))
  })
}

async function begun(child: ChildProcess): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    child.once('spawn', resolve)
    child.once('error', (error: NodeJS.ErrnoException) => reject(explainSpawnError(error)))
  })
  child.unref()
}

/** Returns the machine's pid of a sandbox's first process, once the sandbox is ready. */
export async function firstProcess(child: ChildProcess): Promise<number> {
  const late = setTimeout(() => child.kill('SIGKILL'), SANDBOX_MS)
  let said = ''
  try {
    for await (const chunk of child.stdio[3] as Readable) {
      said = `${said}${chunk}`.slice(0, SAID)
      const pid = /^ready (\d+)\n/m.exec(said)?.[1]
      if (pid) return Number(pid)
    }
  } finally {
    clearTimeout(late)
  }
  const why = said.trim().split('\n')[0] || 'it took too long'
  throw new RuntimeError('internal', `The sandbox of the agent was not made: ${why}`, {
    help: 'Run "node ace doctor": it says what this machine lacks.',
  })
}

const SIGNALS = Object.entries(os.constants.signals) as [NodeJS.Signals, number][]

/** A sandbox's first process reports the agent's end as a shell does, by exit code. */
function asTold({ code, signal }: ProcessEnd): ProcessEnd {
  const name = SIGNALS.find(([, number]) => code === 128 + number)?.[0]
  return name ? { code: null, signal: name } : { code, signal }
}

function environment({ spec, folder, paths, port, sandbox }: Launch): Record<string, string> {
  const { node, openclaw } = sandbox?.view.programs ?? paths
  return {
    ...launcherEnvironment({
      spec,
      places: sandbox?.view.folder ?? folder,
      node,
      openclaw,
      port,
      bind: sandbox ? 'lan' : 'loopback',
    }),
    [FOLDER_MARK]: folder.mark,
  }
}

function explainSpawnError(cause: NodeJS.ErrnoException): RuntimeError {
  if (cause.code === 'EAGAIN' || cause.code === 'ENOMEM') {
    return new RuntimeError('no_capacity', 'The system has no room for another process.', {
      cause,
      help: 'Raise its limits on processes and memory, or stop other agents.',
    })
  }
  if (cause.code === 'EPERM') {
    return new RuntimeError('internal', 'Mosaic may not start processes as other users.', {
      cause,
      help: 'Give it the capabilities SETUID, SETGID, CHOWN and KILL, or do not run it as root.',
    })
  }
  return new RuntimeError('internal', `The launcher did not start: ${cause.message}`, { cause })
}
