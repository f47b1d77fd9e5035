import { spawn } from 'node:child_process'
import { constants, type FileHandle, open } from 'node:fs/promises'
import { dirname } from 'node:path'
import { RuntimeError } from '#runtimes/errors'
import type { InstanceSpec } from '#runtimes/contract'
import type { InstallPaths } from '#runtimes/drivers/process/install_paths'
import type { AgentFolder } from '#runtimes/drivers/process/agent_folder'

/** Where agents find the programs of the system; Mosaic's own PATH may lead anywhere. */
const SYSTEM_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'

/** A process that was started, and how it will end. */
export interface Launched {
  pid: number
  exited: Promise<{ code: number | null; signal: NodeJS.Signals | null }>
}

/**
 * Starts the launcher in a session of its own, so that it outlives Mosaic. Nothing of Mosaic's own
 * environment is handed on, and no secret is in its environment or arguments.
 *
 * @throws RuntimeError `no_capacity` or `internal` when the system cannot start a process
 */
export async function spawnLauncher(
  spec: InstanceSpec,
  folder: AgentFolder,
  paths: InstallPaths,
  port: number
): Promise<Launched> {
  const { O_APPEND, O_CREAT, O_WRONLY, O_NOFOLLOW } = constants
  const log = await open(folder.log, O_APPEND | O_CREAT | O_WRONLY | O_NOFOLLOW, 0o600)
  try {
    return await spawned(log, spec, folder, paths, port)
  } finally {
    await log.close()
  }
}

async function spawned(
  log: FileHandle,
  spec: InstanceSpec,
  folder: AgentFolder,
  paths: InstallPaths,
  port: number
): Promise<Launched> {
  const child = spawn('/bin/sh', [paths.entrypoint], {
    ...(folder.user ?? {}),
    cwd: folder.state,
    detached: true,
    env: environment(spec, folder, paths, port),
    stdio: ['ignore', log.fd, log.fd],
  })
  // From the first moment: it may end before anybody else can listen.
  const exited: Launched['exited'] = new Promise((resolve) => {
    child.once('exit', (code, signal) => resolve({ code, signal }))
  })
  await new Promise<void>((resolve, reject) => {
    child.once('spawn', resolve)
    child.once('error', (error: NodeJS.ErrnoException) => reject(explainSpawnError(error)))
  })
  child.unref()
  return { pid: child.pid!, exited }
}

function environment(
  spec: InstanceSpec,
  folder: AgentFolder,
  paths: InstallPaths,
  port: number
): Record<string, string> {
  return {
    PATH: `${dirname(paths.node)}:${SYSTEM_PATH}`,
    HOME: folder.home,
    LANG: 'C.UTF-8',
    TZ: Intl.DateTimeFormat().resolvedOptions().timeZone,
    TMPDIR: folder.temporary,
    XDG_CACHE_HOME: folder.cache,
    NODE_COMPILE_CACHE: `${folder.cache}/node`,
    OPENCLAW_HOME: folder.home,
    OPENCLAW_STATE_DIR: folder.state,
    OPENCLAW_CONFIG_PATH: `${folder.state}/openclaw.json`,
    OPENCLAW_NO_AUTO_UPDATE: '1',
    OPENCLAW_DISABLE_BONJOUR: '1',
    OPENCLAW_NO_RESPAWN: '1',
    // Else OpenClaw starts itself once more, only to name a subfolder of the cache.
    OPENCLAW_PACKAGED_COMPILE_CACHE_RESPAWNED: '1',
    AGENT_ID: spec.agent,
    MOSAIC_API_URL: spec.apiUrl,
    MOSAIC_SECRETS_FILE: folder.secrets,
    MOSAIC_GATEWAY_PORT: String(port),
    MOSAIC_GATEWAY_BIND: 'loopback',
    MOSAIC_NODE: paths.node,
    MOSAIC_OPENCLAW: paths.openclaw,
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
