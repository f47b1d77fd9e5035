/**
 * Installs OpenClaw for agents, at the version pinned by `docker/agent/package.json`, into
 * `<storage>/openclaw/<version>`. A complete installation is left alone.
 *
 * As a command: `node bin/install_openclaw.mjs`.
 */
import { chmod, copyFile, mkdir, mkdtemp, readdir, rename, rm, stat } from 'node:fs/promises'
import { existsSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { SetupFailure } from './setup/failure.mjs'
import { command } from './setup/command.mjs'
import { install } from './setup/packages.mjs'
import { node24, ROOT, withNode24 } from './setup/node24.mjs'
import { Terminal } from './setup/terminal.mjs'

const PIN = join(ROOT, 'docker/agent')
const HALF_INSTALL = '.installing-'

/** Longer than any install: an older partial one was abandoned, a younger one may still be running. */
const ABANDONED_MS = 60 * 60 * 1000

export const OPENCLAW_VERSION = JSON.parse(readFileSync(join(PIN, 'package.json'), 'utf8'))
  .dependencies.openclaw

/**
 * @param {string} storage The storage folder, absolute.
 * @param {(share: number) => void} report
 * @returns {Promise<'installed' | 'present'>}
 */
export async function installOpenClaw(storage, report) {
  const parent = join(storage, 'openclaw')
  const target = join(parent, OPENCLAW_VERSION)
  if (isComplete(target)) return 'present'

  await mkdir(parent, { recursive: true })
  await removeAbandoned(parent)
  const folder = await mkdtemp(join(parent, HALF_INSTALL))
  try {
    for (const file of ['package.json', 'package-lock.json']) {
      await copyFile(join(PIN, file), join(folder, file))
    }
    await install(folder, report)
    await finishPackage(folder)
    /** Agents run it as other users. */
    await chmod(folder, 0o755)
    return await place(folder, target)
  } catch (error) {
    await rm(folder, { recursive: true, force: true })
    throw error
  }
}

const isComplete = (folder) => existsSync(join(folder, 'node_modules/openclaw/package.json'))

/**
 * Moves a finished installation to its place. One that another process has placed meanwhile stays, because agents may
 * run from it.
 *
 * @param {string} folder
 * @param {string} target
 * @returns {Promise<'installed' | 'present'>}
 */
export async function place(folder, target) {
  try {
    await rename(folder, target)
  } catch (error) {
    if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') throw error
    if (isComplete(target)) {
      await rm(folder, { recursive: true })
      return 'present'
    }
    await rm(target, { recursive: true, force: true })
    await rename(folder, target)
  }
  return 'installed'
}

/**
 * Lets OpenClaw finish its own package, which it does on its first command instead of in an install script.
 * Agents cannot do it: they have no write access to the package.
 */
async function finishPackage(folder) {
  await command(node24(), [join(folder, 'node_modules/openclaw/openclaw.mjs'), '--version'], {
    cwd: folder,
    env: withNode24(),
    failure: 'OpenClaw was installed but does not start',
    help: 'Start again: nothing half done is kept.',
  })
}

async function removeAbandoned(parent) {
  for (const name of await readdir(parent)) {
    const folder = join(parent, name)
    if (!name.startsWith(HALF_INSTALL)) continue
    if (Date.now() - (await stat(folder)).mtimeMs < ABANDONED_MS) continue
    await rm(folder, { recursive: true, force: true })
  }
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  const storage = resolve(process.env.STORAGE_PATH ?? join(ROOT, 'storage'))
  await new Terminal()
    .step(`OpenClaw ${OPENCLAW_VERSION}`, (report) => installOpenClaw(storage, report))
    .catch((error) => {
      if (!(error instanceof SetupFailure)) throw error
      console.error([error.message, error.help].filter(Boolean).join('\n'))
      process.exitCode = 1
    })
}
