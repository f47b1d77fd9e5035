import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { copyFile, mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { CodedError } from '#drivers/contract_error'
import { PLUGIN_API_VERSION } from '#plugins/api_version'

export type PluginKind = 'runtime' | 'llm-adapter' | 'vault'

export interface PluginInput {
  /** Repository root. */
  root: string
  kind: PluginKind
  /** The plugin's contribution: lower case, digits and dashes. */
  name: string
  /** Absolute path of the new package. */
  folder: string
  /** Path of a packed kit; by default the kit is built and packed. */
  kit?: string
}

/** The generated package. */
export interface MadePlugin {
  package: string
  folder: string
  /** Paths relative to the folder. */
  files: string[]
}

/** The name is not valid for a package, a class and a configuration file at once. */
export class E_PLUGIN_NAME extends CodedError {
  static override status = 422
  static override help = 'Use lower case letters, digits and dashes, as in "my-cloud".'
}

/** The target folder already contains files. */
export class E_PLUGIN_FOLDER extends CodedError {
  static override status = 409
  static override help = 'Name another folder with --path, or remove this one.'
}

/** The templates are only in the repository, not in a build. */
export class E_PLUGIN_TEMPLATES extends CodedError {
  static override status = 501
  static override message = 'A build of Mosaic has no templates for plugins.'
  static override help = 'Run the command in a clone of the repository.'
}

/** Milliseconds for packing the kit, which includes compiling it. */
const PACK_MS = 180_000

/** Fields of `mosaic` in `package.json` that list a plugin's contributions, by kind. */
const BRINGS = { 'runtime': 'runtimes', 'llm-adapter': 'adapters', 'vault': 'vaults' } as const

const run = promisify(execFile)

/**
 * Generates a plugin package from the kit's templates, with a packed kit inside. The templates form a plugin
 * called `acme`, whose name is replaced.
 *
 * @throws E_PLUGIN_NAME, E_PLUGIN_FOLDER, E_PLUGIN_TEMPLATES
 */
export async function makePlugin({
  root,
  kind,
  name,
  folder,
  ...given
}: PluginInput): Promise<MadePlugin> {
  if (!/^[a-z][a-z0-9]*(?:-[a-z0-9]+)*$/.test(name) || name.length > 32) {
    throw new E_PLUGIN_NAME(`"${name}" cannot name a plugin.`)
  }
  const kit = join(root, 'packages/plugin-kit')
  if (!existsSync(join(kit, 'templates'))) throw new E_PLUGIN_TEMPLATES()
  if (existsSync(folder) && (await readdir(folder)).length > 0) {
    throw new E_PLUGIN_FOLDER(`The folder ${folder} is not empty.`)
  }

  const files: string[] = []
  for (const template of [join(kit, 'templates/common'), join(kit, 'templates', kind)]) {
    for (const path of await filesBelow(template)) {
      const target = path === 'gitignore' ? '.gitignore' : path
      const text = named(await readFile(join(template, path), 'utf8'), name)
      await mkdir(dirname(join(folder, target)), { recursive: true })
      await writeFile(join(folder, target), text)
      files.push(target)
    }
  }
  const tarball = given.kit ? await copyTo(folder, given.kit) : await packKit(kit, folder)
  const manifest = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8'))
  manifest.dependencies['@mosaic/plugin-kit'] = `file:${tarball}`
  manifest.mosaic = { apiVersion: PLUGIN_API_VERSION, [BRINGS[kind]]: [name] }
  await writeFile(join(folder, 'package.json'), `${JSON.stringify(manifest, null, 2)}\n`)
  return { package: manifest.name, folder, files: [...files, tarball].sort() }
}

/**
 * Replaces `acme` in names and URLs, and `Acme` in classes and labels. As a property key, a name may need
 * quotes.
 */
function named(text: string, name: string): string {
  const words = name.split('-').map((word) => word[0].toUpperCase() + word.slice(1))
  return text
    .replaceAll('acme: true', `'${name}': true`)
    .replaceAll('Acme', words.join(''))
    .replaceAll('acme', name)
}

async function filesBelow(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  return entries
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name).slice(folder.length + 1))
}

/** Returns the file name of the tarball. */
async function packKit(kit: string, folder: string): Promise<string> {
  const script = join(kit, 'pack.mjs')
  const { stdout } = await run(process.execPath, [script, folder], { timeout: PACK_MS })
  return basename(stdout.trim())
}

async function copyTo(folder: string, tarball: string): Promise<string> {
  await copyFile(tarball, join(folder, basename(tarball)))
  return basename(tarball)
}
