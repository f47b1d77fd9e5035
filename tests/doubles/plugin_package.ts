import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

/** The parts of a plugin package that differ between plugins. */
export interface PluginPackage {
  name?: string
  version?: string
  /** The `mosaic` of its package.json; null omits it. */
  mosaic?: Record<string, unknown> | null
  /** The source of its provider; null omits it, as in an unbuilt package. */
  provider?: string | null
  /** The source of a module beside it, which it may import as `./index.js`. */
  index?: string
}

/** Writes a plugin's folder as its author has it on disk. Returns the folder. */
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
  if (given.index) await writeFile(join(folder, 'dist/index.js'), given.index)
  return folder
}
