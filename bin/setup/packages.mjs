/** Installs exactly the packages in a lock file, and reports progress. */
import { lstat, readdir } from 'node:fs/promises'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { command } from './command.mjs'
import { withNode24 } from './node24.mjs'

/** Minimum interval between scans of a growing folder, which take at most a tenth of the time: it gets 40,000 files. */
const LOOK_MS = 1000

/** Installs everything in the lock file, whatever NODE_ENV says. Mosaic checks engines itself. */
const CLEAN_INSTALL = [
  'ci',
  '--include=dev',
  '--include=optional',
  '--ignore-scripts',
  '--engine-strict=false',
  '--no-audit',
  '--no-fund',
  '--no-progress',
  '--loglevel=error',
]

const CHECK_NETWORK = 'Check the network and the disk, then start again: nothing half done is kept.'

/**
 * Returns whether a folder has every package of its lock file at its version. npm writes its record of the
 * installation last, so an interrupted install does not count as complete.
 *
 * @param {string} folder
 */
export function isInstalled(folder) {
  const note = join(folder, 'node_modules/.package-lock.json')
  if (!existsSync(note)) return false
  const wanted = packagesOf(join(folder, 'package-lock.json'))
  const present = packagesOf(note)
  return Object.entries(wanted).every(([path, entry]) => {
    // The repository's own packages always exist.
    if (entry.link || !path.startsWith('node_modules/')) return true
    const found = present[path]
    return found ? found.version === entry.version : Boolean(entry.optional || entry.devOptional)
  })
}

/**
 * Runs `npm ci` in a folder. No package's own install script runs.
 *
 * @param {string} folder
 * @param {(share: number) => void} report
 */
export async function install(folder, report) {
  const modules = join(folder, 'node_modules')
  const expected = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')).config
  const bytes = expected.installedMegabytes * 1e6

  let ended = false
  const watching = (async () => {
    while (!ended) {
      const before = Date.now()
      report(Math.min((await sizeOf(modules)) / bytes, 0.99))
      const took = Date.now() - before
      await new Promise((resolve) => setTimeout(resolve, Math.max(LOOK_MS, 9 * took)).unref())
    }
  })()

  const [program, ...first] = npm()
  try {
    await command(program, [...first, ...CLEAN_INSTALL, `--prefix=${folder}`], {
      cwd: folder,
      env: withNode24(),
      failure: 'npm could not install the packages',
      help: CHECK_NETWORK,
    })
  } finally {
    ended = true
    watching.catch(() => {})
  }
}

/**
 * Installs the installation's plugins from their own lock file, if they are missing.
 *
 * @param {string} folder The plugins folder.
 * @returns {Promise<'none' | 'present' | 'installed'>}
 */
export async function installPlugins(folder) {
  if (!existsSync(join(folder, 'package-lock.json'))) return 'none'
  if (isInstalled(folder)) return 'present'
  const [program, ...first] = npm()
  await command(program, [...first, ...CLEAN_INSTALL], {
    cwd: folder,
    env: withNode24(),
    failure: 'npm could not install the plugins',
    help: CHECK_NETWORK,
  })
  return 'installed'
}

/** Returns the npm that started this process, else the one in PATH. */
function npm() {
  const script = process.env.npm_execpath
  return script?.endsWith('npm-cli.js') ? [process.execPath, script] : ['npm']
}

function packagesOf(file) {
  return JSON.parse(readFileSync(file, 'utf8')).packages
}

/** Returns the bytes below a folder that changes meanwhile: files that vanish count as zero. */
async function sizeOf(folder) {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => [])
  let bytes = 0
  for (const entry of entries) {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) bytes += await sizeOf(path)
    else bytes += (await lstat(path).catch(() => ({ size: 0 }))).size
  }
  return bytes
}
