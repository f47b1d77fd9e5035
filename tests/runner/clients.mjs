/** Installs the OpenAI clients pinned by `tests/clients` outside Mosaic's own dependencies. */
import { copyFile } from 'node:fs/promises'
import { join } from 'node:path'
import { installPinned } from '../../bin/setup/pinned_packages.mjs'
import { ROOT } from '../../bin/setup/node24.mjs'

const PIN = join(ROOT, 'tests/clients')

/**
 * Installs them into `<storage>/clients`.
 *
 * @param {string} storage The storage folder, absolute.
 * @param {(share: number) => void} report
 * @returns {Promise<'installed' | 'present'>}
 */
export async function installClients(storage, report) {
  const folder = join(storage, 'clients')
  const outcome = await installPinned(PIN, folder, report)
  await copyFile(join(PIN, 'load.mjs'), join(folder, 'load.mjs'))
  return outcome
}
