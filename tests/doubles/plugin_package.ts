import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

/** What a plugin's package says and does, beside what every one of them has. */
export interface PluginPackage {
  name?: string
  version?: string
  /** The `mosaic` of its package.json; null leaves it out. */
  mosaic?: Record<string, unknown> | null
  /** The text of its provider; null leaves it out, as where nobody built it. */
  provider?: string | null
}

/** Writes the folder of a plugin, as its author has it on disk. Returns the folder. */
export async function writePlugin(folder: string, given: PluginPackage = {}): Promise<string> {
  const { name = 'mosaic-acme', version = '1.0.0', provider = 'export default class {}' } = given
  const mosaic = given.mosaic === undefined ? { apiVersion: 1, runtimes: ['acme'] } : given.mosaic
  await mkdir(join(folder, 'dist'), { recursive: true })
  const file = {
    name,
    version,
    type: 'module',
    exports: { './provider': './dist/provider.js' },
    peerDependencies: { '@adonisjs/core': '^7.0.0' },
    ...(mosaic && { mosaic }),
  }
  await writeFile(join(folder, 'package.json'), JSON.stringify(file))
  if (provider !== null) await writeFile(join(folder, 'dist/provider.js'), provider)
  return folder
}
