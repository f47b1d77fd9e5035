import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { chmod, mkdir, mkdtemp, readdir, rm, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import app from '@adonisjs/core/services/app'
import { linkFolder } from '#tests/folder_links'

/** The files of the working tree that belong to the product, changed or not. */
const COPY_FILES = `git ls-files -z --cached --others --exclude-standard |
  tar --create --null --ignore-failed-read --files-from=- | tar --extract --directory="$1"`

/** What `npm ci` and a build replace as a whole, and how it comes into the copy. */
const INSTALLED = { node_modules: linkPackages, build: linkFolder }

const run = promisify(execFile)

/** The product in a folder of its own, as an operator installs it: its files, its packages and its build. */
export class ProductCopy {
  private constructor(readonly path: string) {}

  static async make(): Promise<ProductCopy> {
    const copy = new ProductCopy(await mkdtemp(join(tmpdir(), 'mosaic-copy-')))
    await chmod(copy.path, 0o755)
    await mkdir(join(copy.path, 'storage'))
    await symlink(app.makePath('storage/openclaw'), join(copy.path, 'storage/openclaw'))
    await copy.install()
    return copy
  }

  /** Puts all files of a version in place, as an upgrade does: over those of the former one. */
  async install(): Promise<void> {
    await run('sh', ['-c', COPY_FILES, 'sh', this.path], { cwd: app.makePath() })
    for (const [folder, link] of Object.entries(INSTALLED)) {
      const place = join(this.path, folder)
      if (existsSync(place)) await rm(place, { recursive: true })
      await link(app.makePath(folder), place)
    }
  }

  async close(): Promise<void> {
    await rm(this.path, { recursive: true, force: true })
  }
}

/** Makes a link to each package, in place of 46,000 files. Those of a scope are in a folder of its own. */
async function linkPackages(from: string, to: string): Promise<void> {
  await mkdir(to)
  for (const name of await readdir(from)) {
    const [ours, theirs] = [join(from, name), join(to, name)]
    if (name.startsWith('@')) await linkPackages(ours, theirs)
    else await symlink(ours, theirs)
  }
}
