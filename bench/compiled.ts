import { execFileSync, spawn } from 'node:child_process'
import { chmodSync, cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { setTimeout as after } from 'node:timers/promises'
import { newInstallation } from './environment.js'
import { SERVER_FLAGS } from '../bin/server_flags.mjs'

const ROOT = fileURLToPath(new URL('../', import.meta.url))
const READY_MS = 60_000
const SETTLE_MS = 3000

/**
 * Compiles the server as a build does, without pages, into a temporary folder that the caller removes.
 * `tsconfig.json` includes what a build omits: tests, bench and chaos.
 */
export function compile(config: 'tsconfig.build.json' | 'tsconfig.json'): string {
  const folder = mkdtempSync(join(tmpdir(), 'mosaic-bench-build-'))
  /** Agents run as other users and read the launcher here. */
  chmodSync(folder, 0o711)
  const typescript = join(ROOT, 'node_modules/typescript/bin/tsc')
  const options = ['-p', config, '--outDir', folder, '--noCheck']
  execFileSync(process.execPath, [typescript, ...options], { cwd: ROOT, stdio: 'inherit' })
  for (const part of ['package.json', 'docker', 'resources', 'public']) {
    cpSync(join(ROOT, part), join(folder, part), { recursive: true })
  }
  symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'))
  return folder
}

/** Returns the resident bytes of a compiled, idle web process. */
export async function residentAtRest(): Promise<number> {
  const folder = compile('tsconfig.build.json')
  const own = await newInstallation()
  const server = spawn(process.execPath, [...SERVER_FLAGS, 'bin/server.js'], {
    cwd: folder,
    env: own.env,
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  const ended = new Promise((resolve) => server.once('exit', resolve))
  try {
    await answered(`http://127.0.0.1:${own.env.PORT}/health/live`)
    await after(SETTLE_MS)
    const kilobytes = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${server.pid}/status`, 'utf8'))![1]
    return Number(kilobytes) * 1024
  } finally {
    server.kill('SIGTERM')
    await ended
    own.remove()
    rmSync(folder, { recursive: true, force: true })
  }
}

async function answered(url: string): Promise<void> {
  const deadline = performance.now() + READY_MS
  for (;;) {
    const response = await fetch(url).catch(() => null)
    await response?.body?.cancel()
    if (response?.ok) return
    if (performance.now() > deadline) throw new Error('The compiled server was not ready in time')
    await after(100)
  }
}
