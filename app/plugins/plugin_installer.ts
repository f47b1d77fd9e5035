import { constants, existsSync } from 'node:fs'
import { access, copyFile, mkdir, rename, rm } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { pluginDeadlineMs } from '#plugins/deadline'
import { E_PLUGIN_FAILED, E_PLUGIN_NOT_INSTALLED, E_PLUGINS_FOLDER } from '#plugins/errors'
import { triedImport } from '#plugins/import_trial'
import { readManifest, type PluginManifest } from '#plugins/manifest'
import { npm, NPM_DEADLINE_MS } from '#plugins/npm'
import { withPacked, type PackedPlugin } from '#plugins/package_source'
import { listed, pluginsFolder } from '#plugins/plugins_folder'
import { FileLock } from '#runtimes/drivers/process/lock'
import { ProcTable } from '#runtimes/drivers/process/proc_table'
import { writeWhole } from '#runtimes/drivers/process/records'

/** Folder for tarballs, so that `npm ci` finds them in an image too. */
const PACKAGES = 'packages'

/**
 * The files npm writes in the folder. They are restored after a failure, from copies with the ending `.before`:
 * a rename works on a full disk too, where npm may leave them empty.
 */
const LISTS = ['package.json', 'package-lock.json']

/**
 * Skips peer dependencies: they are Mosaic's own packages, and a second copy of AdonisJS would be a separate
 * application.
 */
const NPMRC = 'legacy-peer-deps=true\nignore-scripts=true\n'

/** Everyone reads the list: a build copies it into an image, where Mosaic has another user. */
const READABLE = { mode: 0o644, user: null }

const EMPTY_LIST = {
  name: 'mosaic-plugins',
  description: 'The plugins of this installation of Mosaic. Change it with "node ace plugin:add".',
  private: true,
  dependencies: {},
}

interface AddOptions {
  dryRun?: boolean
  approve?: (manifest: PluginManifest) => Promise<void>
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
   * @param options.dryRun only validates the plugin
   * @param options.approve throws if this version may not be installed
   * @throws E_NOT_A_PLUGIN, E_PLUGIN_API_VERSION, E_PLUGIN_WITHOUT_PROVIDER, E_PLUGIN_FAILED, E_PLUGIN_NPM,
   * E_PLUGINS_FOLDER, E_PLUGINS_LIST
   */
  async add(source: string, { dryRun = false, approve }: AddOptions = {}): Promise<PluginManifest> {
    return withPacked(source, async (packed) => {
      await approve?.(packed.manifest)
      if (!dryRun) await this.#alone(() => this.#install(packed))
      return packed.manifest
    })
  }

  /**
   * Uninstalls a plugin. The caller must check that nothing needs it.
   *
   * @throws E_PLUGIN_NOT_INSTALLED, E_PLUGIN_NPM, E_PLUGINS_FOLDER, E_PLUGINS_LIST
   */
  async remove(name: string): Promise<void> {
    this.check(name)
    await this.#alone(async () => {
      this.check(name)
      await this.#orAsBefore([], () => npm('remove it', ['uninstall', '--', name], this.folder))
    })
  }

  /** @throws E_PLUGIN_NOT_INSTALLED, E_PLUGINS_LIST */
  check(name: string): void {
    const names = Object.keys(listed(this.folder))
    if (names.includes(name)) return
    const known = names.length > 0 ? names.join(', ') : 'none'
    throw new E_PLUGIN_NOT_INSTALLED(name, `These are installed: ${known}.`)
  }

  /** Installs the tarball that was validated, also of a registry's package: npm would fetch that again. */
  async #install({ manifest, tarball, fileName }: PackedPlugin): Promise<void> {
    await this.#prepare()
    const kept = join(this.folder, PACKAGES, fileName)
    const added = existsSync(kept) ? [] : [fileName]
    await this.#orAsBefore(added, async () => {
      await copyFile(tarball, kept)
      const wanted = `./${PACKAGES}/${fileName}`
      await npm('install it', ['install', '--save-exact', '--', wanted], this.folder)
      await this.#loads(manifest.name)
    })
  }

  /** Imports the plugin's provider now: with missing modules it would only be left out at the next start. */
  async #loads(name: string): Promise<void> {
    const { provider } = readManifest(join(this.folder, 'node_modules', name), name)
    const fault = await triedImport(provider, this.deadlineMs)
    if (fault) throw new E_PLUGIN_FAILED(name, fault)
  }

  /** Runs a change while no other command changes the folder. Waits for a command that does. */
  async #alone(change: () => Promise<void>): Promise<void> {
    await this.#writable(async () => {
      await mkdir(join(this.folder, PACKAGES), { recursive: true })
      await access(this.folder, constants.W_OK)
    })
    const lock = new FileLock(new ProcTable())
    await lock.run(join(this.folder, '.lock'), { timeoutMs: NPM_DEADLINE_MS }, change)
  }

  async #prepare(): Promise<void> {
    await this.#writable(async () => {
      await writeWhole(join(this.folder, '.npmrc'), NPMRC, READABLE)
      const list = join(this.folder, LISTS[0])
      const none = `${JSON.stringify(EMPTY_LIST, null, 2)}\n`
      if (!existsSync(list)) await writeWhole(list, none, READABLE)
    })
  }

  async #writable(write: () => Promise<void>): Promise<void> {
    try {
      await write()
    } catch (cause) {
      throw new E_PLUGINS_FOLDER(this.folder, { cause })
    }
  }

  /**
   * Runs a change. If it fails, restores the lists and lets npm bring the packages back in line. Then deletes the
   * tarballs that are no longer listed: the added ones, and those listed before. Others are left alone.
   */
  async #orAsBefore(added: string[], change: () => Promise<void>): Promise<void> {
    const former = tarballsIn(listed(this.folder))
    const lists = LISTS.map((name) => join(this.folder, name))
    const copied = lists.filter((file) => existsSync(file))
    await Promise.all(copied.map((file) => copyFile(file, `${file}.before`)))
    try {
      await change()
    } catch (error) {
      const isNew = (file: string) => !copied.includes(file)
      await Promise.all(copied.map((file) => rename(`${file}.before`, file)))
      await Promise.all(lists.filter(isNew).map((file) => rm(file, { force: true })))
      await npm('tidy up', ['install', '--offline', '--no-save'], this.folder).catch(() => {})
      throw error
    } finally {
      const wanted = tarballsIn(listed(this.folder))
      const dropped = [...former, ...added].filter((file) => !wanted.includes(file))
      const unneeded = dropped.map((file) => join(this.folder, PACKAGES, file))
      unneeded.push(...lists.map((file) => `${file}.before`))
      await Promise.all(unneeded.map((file) => rm(file, { force: true })))
    }
  }
}

/** The tarballs in `packages/` that a list names. */
function tarballsIn(list: Record<string, string>): string[] {
  const own = `file:${PACKAGES}/`
  return Object.values(list).flatMap((from) => (from.startsWith(own) ? basename(from) : []))
}
