/** Installs packages that are no dependency of Mosaic itself, exactly as their own lock file says. */
import { copyFile, mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { install, isInstalled } from './packages.mjs'

/**
 * No package's own install script runs.
 *
 * @param {string} pin Folder with `package.json`, which says `config.installedMegabytes`, and its lock file.
 * @param {string} folder Where `node_modules` goes.
 * @param {(share: number) => void} [report]
 * @returns {Promise<'installed' | 'present'>}
 */
export async function installPinned(pin, folder, report = () => {}) {
  await mkdir(folder, { recursive: true })
  for (const file of ['package.json', 'package-lock.json']) {
    await copyFile(join(pin, file), join(folder, file))
  }
  if (isInstalled(folder)) return 'present'
  await install(folder, report)
  return 'installed'
}
