import { existsSync } from 'node:fs'
import { copyFile, mkdir, readFile, readdir, rm, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { inTime, pluginDeadlineMs } from '#plugins/deadline'
import { E_PLUGIN_FAILED, E_PLUGIN_NOT_INSTALLED, E_PLUGINS_FOLDER } from '#plugins/errors'
import { readManifest, type PluginManifest } from '#plugins/manifest'
import { npm } from '#plugins/npm'
import { withPacked, type PackedPlugin } from '#plugins/package_source'
import { listed, pluginsFolder } from '#plugins/plugins_folder'

/** Folder for local tarballs, so that `npm ci` finds them in an image too. */
const PACKAGES = 'packages'

/** The files npm writes in the folder; they are restored after a failure. */
const LISTS = ['package.json', 'package-lock.json']

/**
 * Skips peer dependencies: they are Mosaic's own packages, and a second copy of AdonisJS would be a separate
 * application.
 */
const NPMRC = 'legacy-peer-deps=true\nignore-scripts=true\n'

const EMPTY_LIST = {
  name: 'mosaic-plugins',
  description: 'The plugins of this installation of Mosaic. Change it with "node ace plugin:add".',
  private: true,
  dependencies: {},
}

/**
 * Installs and uninstalls packages in the plugins folder. A running Mosaic picks up changes at its next
 * start.
 */
export class PluginInstaller {
  /** @param deadlineMs how long the import of a plugin may take */
  constructor(
    protected folder = pluginsFolder(),
    protected deadlineMs = pluginDeadlineMs()
  ) {}

  /**
   * Installs a plugin, or changes its version. A failure changes nothing.
   *
   * @param source a folder, a tarball, or a name with or without a version
   * @param dryRun only validates the plugin
   * @throws E_NOT_A_PLUGIN, E_PLUGIN_API_VERSION, E_PLUGIN_WITHOUT_PROVIDER, E_PLUGIN_FAILED, E_PLUGIN_NPM,
   * E_PLUGINS_FOLDER
   */
  async add(source: string, { dryRun = false } = {}): Promise<PluginManifest> {
    return withPacked(source, async (packed) => {
      if (!dryRun) await this.#install(packed)
      return packed.manifest
    })
  }

  /**
   * Uninstalls a plugin. The caller must check that nothing needs it.
   *
   * @throws E_PLUGIN_NOT_INSTALLED, E_PLUGIN_NPM, E_PLUGINS_FOLDER
   */
  async remove(name: string): Promise<void> {
    this.check(name)
    await this.#orAsBefore(async () => {
      await npm('remove it', ['uninstall', '--', name], this.folder)
    })
    await this.#dropUnlisted()
  }

  /** @throws E_PLUGIN_NOT_INSTALLED */
  check(name: string): void {
    const names = Object.keys(listed(this.folder))
    if (names.includes(name)) return
    const known = names.length > 0 ? names.join(', ') : 'none'
    throw new E_PLUGIN_NOT_INSTALLED(name, `These are installed: ${known}.`)
  }

  async #install({ manifest, tarball, isLocal, fileName }: PackedPlugin): Promise<void> {
    await this.#prepare()
    const kept = join(this.folder, PACKAGES, fileName)
    await this.#orAsBefore(async () => {
      if (isLocal) await copyFile(tarball, kept)
      const { name, version } = manifest
      const wanted = isLocal ? `./${PACKAGES}/${fileName}` : `${name}@${version}`
      await npm('install it', ['install', '--save-exact', '--', wanted], this.folder)
      await this.#loads(name)
    })
    await this.#dropUnlisted()
  }

  /** Imports the plugin's provider now: with missing modules it would only be left out at the next start. */
  async #loads(name: string): Promise<void> {
    const { provider } = readManifest(join(this.folder, 'node_modules', name), name)
    try {
      const address = `${pathToFileURL(provider).href}?installed=${Date.now()}`
      await inTime('its import', this.deadlineMs, () => import(address))
    } catch (error) {
      throw new E_PLUGIN_FAILED(name, error)
    }
  }

  async #prepare(): Promise<void> {
    try {
      await mkdir(join(this.folder, PACKAGES), { recursive: true })
      await writeFile(join(this.folder, '.npmrc'), NPMRC)
      const list = join(this.folder, 'package.json')
      if (!existsSync(list)) await writeFile(list, `${JSON.stringify(EMPTY_LIST, null, 2)}\n`)
    } catch (cause) {
      throw new E_PLUGINS_FOLDER(this.folder, { cause })
    }
  }

  /** Runs a change. If it fails, restores the lists and lets npm bring the packages back in line. */
  async #orAsBefore(change: () => Promise<void>): Promise<void> {
    const before = await Promise.all(LISTS.map((file) => this.#read(file)))
    try {
      await change()
    } catch (error) {
      await Promise.all(LISTS.map((file, index) => this.#restore(file, before[index])))
      await npm('tidy up', ['install', '--offline'], this.folder).catch(() => {})
      await this.#dropUnlisted()
      throw error
    }
  }

  async #read(file: string): Promise<string | null> {
    return readFile(join(this.folder, file), 'utf8').catch(() => null)
  }

  async #restore(file: string, content: string | null): Promise<void> {
    const path = join(this.folder, file)
    if (content === null) await rm(path, { force: true })
    else await writeFile(path, content)
  }

  /** Deletes tarballs of earlier versions and of failed installations. */
  async #dropUnlisted(): Promise<void> {
    const wanted = new Set(Object.values(listed(this.folder)).map((from) => basename(from)))
    const kept = join(this.folder, PACKAGES)
    for (const file of await readdir(kept).catch(() => [])) {
      if (!wanted.has(file)) await rm(join(kept, file), { force: true })
    }
  }
}
