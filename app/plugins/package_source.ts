import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdtemp, mkdir, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join, resolve } from 'node:path'
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { E_NOT_A_PLUGIN } from '#plugins/errors'
import { readManifest, type PluginManifest } from '#plugins/manifest'
import { npm } from '#plugins/npm'

const run = promisify(execFile)

/** A plugin packed and validated before the installation is changed. */
export interface PackedPlugin {
  manifest: PluginManifest
  /** Absolute path of its tarball. */
  tarball: string
  /** A file name that depends on the content: the same version may be packed again during development. */
  fileName: string
}

/** The name of a package, with or without a version: whatever else npm takes, it fetches from where it likes. */
const NAME = /^(@[\w.~-]+\/)?[\w.~-]+(@[^\s/:]+)?$/

/**
 * Packs a plugin into a temporary folder, as npm would publish it, and passes it to `work`. The folder is
 * deleted afterwards.
 *
 * @param source a folder, a tarball, or a name with or without a version, as in a registry
 * @throws E_NOT_A_PLUGIN, E_PLUGIN_API_VERSION, E_PLUGIN_WITHOUT_PROVIDER, E_PLUGIN_NPM
 */
export async function withPacked<T>(
  source: string,
  work: (packed: PackedPlugin) => Promise<T>
): Promise<T> {
  const isHere = existsSync(source)
  if (!isHere && (!NAME.test(source) || source.endsWith('.tgz'))) {
    throw new E_NOT_A_PLUGIN(
      source,
      'there is no such folder or file, and no package has such a name.'
    )
  }
  const named = isHere ? resolve(source) : source
  const folder = await mkdtemp(join(tmpdir(), 'mosaic-plugin-'))
  try {
    await npm('pack it', ['pack', '--pack-destination', folder, '--', named], folder)
    const [file] = (await readdir(folder)).filter((name) => name.endsWith('.tgz'))
    if (!file) throw new E_NOT_A_PLUGIN(source, 'npm packed nothing.')
    const tarball = join(folder, file)
    const content = await unpacked(tarball, join(folder, 'content'), source)
    const manifest = readManifest(content, source)
    const hash = createHash('sha256').update(await readFile(tarball))
    const fileName = `${basename(file, '.tgz')}-${hash.digest('hex').slice(0, 12)}.tgz`
    return await work({ manifest, tarball, fileName })
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

async function unpacked(tarball: string, into: string, source: string): Promise<string> {
  await mkdir(into)
  try {
    await run('tar', ['-xzf', tarball, '-C', into, '--strip-components=1', '--no-same-owner'])
  } catch (cause) {
    throw new E_NOT_A_PLUGIN(source, 'its tarball cannot be read.', { cause })
  }
  return into
}
