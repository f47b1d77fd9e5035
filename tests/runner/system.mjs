/** System programs for tests: found, or installed with apt where allowed. */
import {
  accessSync,
  constants,
  existsSync,
  readdirSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { delimiter, join } from 'node:path'
import { command } from '../../bin/setup/command.mjs'
import { SetupFailure } from '../../bin/setup/failure.mjs'

const DEBIAN_POSTGRES = '/usr/lib/postgresql'
const CLUSTER_CONFIG = '/etc/postgresql-common/createcluster.conf'

let listsAreFresh = false

/** The first is Chromium without a browser around it, which takes a quarter less of the processor. */
const CHROMIUM = ['chromium-headless-shell', 'chromium', 'chromium-browser', 'google-chrome']

/** Returns the path of Chromium; installs it if missing. */
export async function chromium() {
  const found = () =>
    [process.env.CHROMIUM_PATH, ...inPath(...CHROMIUM)].find((path) => path && isExecutable(path))
  const install = (name) => installed('Chromium', [name], found)
  /** Not every system packs it apart. */
  return found() ?? (await install(CHROMIUM[0]).catch(() => install(CHROMIUM[1])))
}

/** Returns the path of bubblewrap, in which an example plugin runs agents; installs it if missing. */
export async function bubblewrap() {
  const found = () => inPath('bwrap').find(isExecutable)
  return found() ?? (await installed('bubblewrap', ['bubblewrap'], found))
}

/** Returns the folder of PostgreSQL's programs (`initdb`, `postgres`); installs them if missing. */
export async function postgresPrograms() {
  const found = () => {
    const folders = existsSync(DEBIAN_POSTGRES)
      ? readdirSync(DEBIAN_POSTGRES)
          .sort((one, other) => Number(other) - Number(one))
          .map((version) => join(DEBIAN_POSTGRES, version, 'bin'))
      : []
    const [initdb] = inPath('initdb')
    if (initdb) folders.push(join(initdb, '..'))
    return folders.find((folder) => isExecutable(join(folder, 'postgres')))
  }
  return found() ?? withoutDefaultCluster(() => installed('PostgreSQL', ['postgresql'], found))
}

/**
 * Returns the result of `find` after installing the packages.
 *
 * @throws SetupFailure if that is not allowed or does not help.
 */
export async function installed(name, packages, find) {
  const missing = `${name} is missing: install it (apt-get install ${packages.join(' ')}), then try again.`
  if (process.getuid?.() !== 0 || !inPath('apt-get').length) throw new SetupFailure(missing)

  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  const failure = `${name} is missing, and apt-get could not install it`
  if (!listsAreFresh) {
    await command('apt-get', ['update', '-q'], { env, failure })
    listsAreFresh = true
  }
  const options = ['-y', '-q', '--no-install-recommends', '-o', 'Dpkg::Options::=--force-confold']
  await command('apt-get', ['install', ...options, ...packages], { env, failure })

  const path = find()
  if (!path) throw new SetupFailure(missing)
  return path
}

/**
 * Debian's PostgreSQL package creates a server and starts it, at once and at every boot. Tests need only the
 * programs, so this disables that during the installation and restores it afterwards.
 */
async function withoutDefaultCluster(work) {
  if (existsSync(CLUSTER_CONFIG) || process.getuid?.() !== 0) return work()

  await command('mkdir', ['-p', join(CLUSTER_CONFIG, '..')])
  writeFileSync(CLUSTER_CONFIG, 'create_main_cluster = false\n')
  try {
    return await work()
  } finally {
    const shipped = `${CLUSTER_CONFIG}.dpkg-dist`
    if (existsSync(shipped)) renameSync(shipped, CLUSTER_CONFIG)
    else rmSync(CLUSTER_CONFIG, { force: true })
  }
}

/** Returns the paths of those programs that are in PATH. */
export function inPath(...names) {
  const folders = (process.env.PATH ?? '').split(delimiter)
  return names.flatMap((name) => folders.map((folder) => join(folder, name))).filter(isExecutable)
}

function isExecutable(path) {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}
