import { spawn } from 'node:child_process'
import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { setTimeout as after } from 'node:timers/promises'
import { request } from 'undici'
import { now } from './clock.js'
import { freePort } from '#tests/free_port'

const ROOT = fileURLToPath(new URL('../', import.meta.url))
const READY_MS = 300_000
const STOP_MS = 20_000
const POLL_MS = 10

/** Returns the time at which `/startupz` reports a gateway ready for traffic. */
export async function readyAt(
  endpoint: string,
  ask: (url: string) => ReturnType<typeof request> = request
): Promise<number> {
  const deadline = now() + READY_MS
  for (;;) {
    const response = await ask(`${endpoint}/startupz`).catch(() => null)
    await response?.body.dump()
    if (response?.statusCode === 200) return now()
    if (now() > deadline) throw new Error(`${endpoint} was not ready in time`)
    await after(POLL_MS)
  }
}

/** The agents' OpenClaw, as pinned by `docker/agent/package.json`. */
function openclaw(): string {
  const manifest = JSON.parse(readFileSync(join(ROOT, 'docker/agent/package.json'), 'utf8'))
  const { openclaw: version } = manifest.dependencies
  return join(ROOT, 'storage/openclaw', version, 'node_modules/openclaw/openclaw.mjs')
}

/** An OpenClaw that was started without Mosaic. */
export interface StartedOpenclaw {
  url: string
  /** Rejects once it ends. */
  failed: Promise<never>
  stop(): Promise<void>
}

/**
 * Starts OpenClaw without Mosaic in the folder of a sleeping agent, as the agent's user and with the parts of
 * the launcher's environment that it needs, and with those given.
 */
export async function startOpenclaw(
  agentFolder: string,
  env: Record<string, string> = {}
): Promise<StartedOpenclaw> {
  const at = (name: string) => join(agentFolder, name)
  const { uid, gid } = statSync(at('state'))
  const port = await freePort()
  const child = spawn(
    process.execPath,
    [openclaw(), 'gateway', 'run', '--port', `${port}`, '--bind', 'loopback', '--auth', 'token'],
    {
      cwd: at('state'),
      ...(process.getuid!() === 0 ? { uid, gid } : {}),
      detached: true,
      stdio: 'ignore',
      env: {
        PATH: process.env.PATH,
        HOME: at('home'),
        TMPDIR: at('tmp'),
        XDG_CACHE_HOME: at('cache'),
        NODE_COMPILE_CACHE: at('cache/node'),
        OPENCLAW_HOME: at('home'),
        OPENCLAW_STATE_DIR: at('state'),
        OPENCLAW_CONFIG_PATH: at('state/openclaw.json'),
        OPENCLAW_NO_AUTO_UPDATE: '1',
        OPENCLAW_DISABLE_BONJOUR: '1',
        OPENCLAW_NO_RESPAWN: '1',
        OPENCLAW_PACKAGED_COMPILE_CACHE_RESPAWNED: '1',
        MOSAIC_SECRETS_FILE: at('secrets.json'),
        ...env,
      },
    }
  )
  const ended = new Promise((resolve) => child.once('exit', resolve))
  const failed = ended.then((code): never => {
    throw new Error(`OpenClaw ended with status ${code}`)
  })
  failed.catch(() => {})
  return {
    url: `http://127.0.0.1:${port}`,
    failed,
    stop: async () => {
      if (child.exitCode === null) process.kill(-child.pid!, 'SIGTERM')
      const timer = setTimeout(() => process.kill(-child.pid!, 'SIGKILL'), STOP_MS)
      await ended
      clearTimeout(timer)
    },
  }
}

/** As `startOpenclaw`; returns the milliseconds until `/startupz` is 200, and stops it again. */
export async function startByHand(agentFolder: string): Promise<number> {
  const startedAt = now()
  const { url, failed, stop } = await startOpenclaw(agentFolder)
  try {
    return (await Promise.race([readyAt(url), failed])) - startedAt
  } finally {
    await stop()
  }
}
