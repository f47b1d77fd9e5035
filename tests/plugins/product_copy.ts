import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { chmod, mkdir, mkdtemp, rm, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import app from '@adonisjs/core/services/app'

/** The files of the working tree that belong to the product, changed or not. */
const COPY_FILES = `git ls-files -z --cached --others --exclude-standard |
  tar --create --null --ignore-failed-read --files-from=- | tar --extract --directory="$1"`

/** As links, which cost nothing; a folder on another disk gets copies. */
const COPY_FOLDER =
  'cp -al "$1" "$2" 2>/dev/null || { rm -rf "$2/$(basename "$1")"; cp -a "$1" "$2"; }'

/** What `npm ci` and a build replace as a whole. */
const INSTALLED = ['node_modules', 'build']

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
    await shell(COPY_FILES, this.path)
    for (const folder of INSTALLED) {
      const place = join(this.path, folder)
      if (existsSync(place)) await rm(place, { recursive: true })
      await shell(COPY_FOLDER, app.makePath(folder), this.path)
    }
  }

  async close(): Promise<void> {
    await rm(this.path, { recursive: true, force: true })
  }
}

async function shell(script: string, ...args: string[]): Promise<void> {
  await run('sh', ['-c', script, 'sh', ...args], { cwd: app.makePath() })
}
