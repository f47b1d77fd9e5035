import { spawn } from 'node:child_process'
import { fileURLToPath, pathToFileURL } from 'node:url'

/** Milliseconds for the start of the process and of the framework in it. */
const START_MS = 60_000

/** AdonisJS is found from here, as the plugin finds it. */
const MOSAIC = fileURLToPath(new URL('../../', import.meta.url))

/** What the process runs. An application that has not booted is what a plugin's import meets at a start too. */
const TRIAL = `
import { pathToFileURL } from 'node:url'
import { Ignitor } from '@adonisjs/core'
const [, provider, ms] = process.argv
new Ignitor(pathToFileURL('./'), { importer: (path) => import(path) }).createApp('console')
const say = (fault) => process.send({ fault })
setTimeout(() => say(\`its import did not end within \${ms / 1000} seconds.\`), Number(ms))
try {
  const { default: Provider } = await import(provider)
  say(typeof Provider === 'function' ? null : 'its provider file has no class as its default export.')
} catch (error) {
  say(String(error?.message ?? error))
}
`

/**
 * Imports a plugin's provider in a process of its own, as the next start of Mosaic would: this process may hold
 * modules of a former version. Returns the plugin's fault, or null.
 *
 * @param deadlineMs how long the import may take
 */
export async function triedImport(provider: string, deadlineMs: number): Promise<string | null> {
  const given = [pathToFileURL(provider).href, String(deadlineMs)]
  const child = spawn(process.execPath, ['--input-type=module', '--eval', TRIAL, ...given], {
    cwd: MOSAIC,
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    timeout: START_MS + deadlineMs,
    killSignal: 'SIGKILL',
  })
  try {
    return await new Promise((resolve, reject) => {
      child.once('message', (said) => resolve((said as { fault: string | null }).fault))
      child.once('exit', () => resolve('its import ends its process, or never lets go of it.'))
      child.once('error', reject)
    })
  } finally {
    child.kill('SIGKILL')
  }
}
