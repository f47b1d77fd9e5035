/** Installs exactly the packages that a lock file names, and tells how far it is. */
import { lstat, readdir } from 'node:fs/promises'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { command } from './command.mjs'
import { withNode24 } from './node24.mjs'

/** The least time between two looks at a growing folder. A look at 40,000 files takes a while itself. */
const LOOK_MS = 1000

/** All that the lock names, whatever the environment says of production; engines are ours to check. */
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
 * Whether a folder holds every package of its lock file at its version. npm writes its own note of
 * what it installed last of all, so an interrupted install is not taken for a whole one.
 *
 * @param {string} folder
 */
export function isInstalled(folder) {
  const note = join(folder, 'node_modules/.package-lock.json')
  if (!existsSync(note)) return false
  const wanted = packagesOf(join(folder, 'package-lock.json'))
  const present = packagesOf(note)
  return Object.entries(wanted).every(([path, entry]) => {
    // The repository's own packages are there anyway.
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
      await new Promise((resolve) => setTimeout(resolve, Math.max(LOOK_MS, 3 * took)).unref())
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
 * Installs the plugins of this installation as their own lock file names them, where they are not there yet.
 *
 * @param {string} folder The folder of plugins.
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

/** The npm that started us, else the one in PATH. */
function npm() {
  const script = process.env.npm_execpath
  return script?.endsWith('npm-cli.js') ? [process.execPath, script] : ['npm']
}

function packagesOf(file) {
  return JSON.parse(readFileSync(file, 'utf8')).packages
}

/** Bytes below a folder that changes while it is read: what vanished counts nothing. */
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
