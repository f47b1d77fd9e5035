/**
 * The entry point of every ace command.
 *
 * AdonisJS and OpenClaw need Node 24. Where an older Node runs this file, it starts itself again with
 * the Node 24 that npm installed beside the other packages, and passes signals and the exit status on.
 */
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const NEEDED_MAJOR = 24

/** As `bin/setup/shared_cache.mjs` does, for the compilers that a command starts. */
if (!process.env.NODE_COMPILE_CACHE) process.env.NODE_DISABLE_COMPILE_CACHE = '1'
const installed = fileURLToPath(new URL('node_modules/.bin/node', import.meta.url))

if (Number.parseInt(process.versions.node, 10) >= NEEDED_MAJOR) {
  await import('@poppinss/ts-exec')
  await import('./bin/console.js')
} else if (existsSync(installed)) {
  const child = spawn(installed, process.argv.slice(1), { stdio: 'inherit' })
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
    process.on(signal, () => child.kill(signal))
  }
  child.on('exit', (code, signal) => {
    process.exitCode = signal ? 1 : (code ?? 1)
  })
} else {
  console.error(
    `Mosaic needs Node ${NEEDED_MAJOR}, this is ${process.version}. Run "npm ci" here first: it brings one along.`
  )
  process.exitCode = 1
}
