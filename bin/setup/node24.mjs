/**
 * AdonisJS and OpenClaw need Node 24. npm installs it as an ordinary package, so any Node from 20 can start a
 * script, which then restarts itself with Node 24.
 */
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { SetupFailure } from './failure.mjs'

export const NEEDED_MAJOR = 24

/** The repository's root, without a trailing slash. */
export const ROOT = fileURLToPath(new URL('../..', import.meta.url)).replace(/\/$/, '')

const FORWARDED = ['SIGINT', 'SIGTERM', 'SIGHUP']

export function isNode24() {
  return Number.parseInt(process.versions.node, 10) >= NEEDED_MAJOR
}

/** Returns the Node 24 binary. It exists once the packages are installed. */
export function node24() {
  const installed = join(ROOT, 'node_modules/.bin/node')
  if (existsSync(installed)) return installed
  if (isNode24()) return process.execPath
  throw new SetupFailure(
    `Mosaic needs Node ${NEEDED_MAJOR}, this is ${process.version}.`,
    `npm brings Node ${NEEDED_MAJOR} along on Linux (x64, arm64) only: install it here, then try again.`
  )
}

/** Returns the environment with Node 24 first in PATH. */
export function withNode24(env = process.env) {
  const folder = join(ROOT, 'node_modules/.bin')
  return { ...env, PATH: `${folder}${delimiter}${env.PATH}` }
}

/**
 * Reruns a script with Node 24 and exits with its status. Forwards signals.
 *
 * @param {string[]} args The script and its arguments.
 * @param {Record<string, string>} [env] Added to the environment.
 */
export function continueWithNode24(args, env = {}) {
  const child = spawn(node24(), args, { stdio: 'inherit', env: { ...process.env, ...env } })
  for (const signal of FORWARDED) process.on(signal, () => child.kill(signal))
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('exit', (code, signal) => {
      process.exitCode = signal ? 1 : (code ?? 1)
      resolve()
    })
  })
}
