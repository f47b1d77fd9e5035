import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import app from '@adonisjs/core/services/app'
import type internalConfig from '#config/internal'
import { storagePath } from '#start/env'
import type { AgentName } from '#openclaw/agent_name'

/**
 * Returns the folder of the OpenClaw pinned by `docker/agent/package.json`, installed once beside the app.
 */
export function openclawFolder(): string {
  const pinned = JSON.parse(readFileSync(app.makePath('docker/agent/package.json'), 'utf8'))
  const installed = join('openclaw', pinned.dependencies.openclaw, 'node_modules', 'openclaw')
  const folder = [storagePath, app.makePath('storage')]
    .map((storage) => join(storage, installed))
    .find((candidate) => existsSync(candidate))
  if (!folder) throw new Error(`OpenClaw is not installed: ${app.makePath('storage', installed)}`)
  return folder
}

/** Environment of an agent's process, with only PATH from this process. */
function environment(home: string, more: Record<string, string>): Record<string, string> {
  return {
    PATH: process.env.PATH ?? '',
    HOME: home,
    OPENCLAW_HOME: home,
    OPENCLAW_STATE_DIR: join(home, 'state'),
    OPENCLAW_CONFIG_PATH: join(home, 'state', 'openclaw.json'),
    MOSAIC_SECRETS_FILE: join(home, 'secrets.json'),
    NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE ?? join(home, 'cache'),
    // Otherwise OpenClaw starts itself once more, only to name a subfolder of the cache.
    OPENCLAW_PACKAGED_COMPILE_CACHE_RESPAWNED: '1',
    ...more,
  }
}

/** Asks OpenClaw to validate a document. Returns its output if it refuses, else null. */
export async function refusalOf(document: unknown, home: string): Promise<string | null> {
  mkdirSync(join(home, 'state'), { recursive: true })
  writeFileSync(join(home, 'state', 'openclaw.json'), JSON.stringify(document))
  const main = join(openclawFolder(), 'openclaw.mjs')
  const child = spawn(process.execPath, [main, 'config', 'validate'], {
    env: environment(home, {}),
  })
  let output = ''
  child.stdout.on('data', (chunk) => (output += chunk))
  child.stderr.on('data', (chunk) => (output += chunk))
  const [code] = await once(child, 'close')
  return code === 0 ? null : output
}

/** A real agent: the launcher fetches its document from this Mosaic and becomes the gateway. */
export class RealAgent {
  output = ''
  readonly #process: ChildProcess

  constructor(
    agent: AgentName,
    token: string,
    readonly home: string,
    readonly port: number
  ) {
    mkdirSync(home, { recursive: true })
    writeFileSync(join(home, 'secrets.json'), JSON.stringify({ token }), { mode: 0o400 })
    this.#process = spawn('sh', [app.makePath('docker/agent/entrypoint.sh')], {
      detached: true,
      env: environment(home, {
        AGENT_ID: agent,
        MOSAIC_API_URL: app.config.get<typeof internalConfig>('internal').url,
        MOSAIC_OPENCLAW: openclawFolder(),
        MOSAIC_NODE: process.execPath,
        MOSAIC_GATEWAY_PORT: String(port),
        MOSAIC_GATEWAY_BIND: 'loopback',
      }),
    })
    this.#process.stderr!.on('data', (chunk) => (this.output += chunk))
    this.#process.stdout!.resume()
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`
  }

  /** Resolves once the gateway is ready; rejects with its output if it ends first. */
  async ready(probe: (url: string) => Promise<boolean>, withinMs: number): Promise<void> {
    const end = Date.now() + withinMs
    while (!(await probe(this.url))) {
      if (this.#process.exitCode !== null || Date.now() > end) throw new Error(this.output)
      await new Promise((resolve) => setTimeout(resolve, 200))
    }
  }

  /** Stops the gateway and its children. */
  async stop(): Promise<void> {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return
    const closed = once(this.#process, 'exit')
    process.kill(-this.#process.pid!, 'SIGKILL')
    await closed
  }
}
