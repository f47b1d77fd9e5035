import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { cp, mkdir, mkdtemp, readFile, rm, symlink } from 'node:fs/promises'
import app from '@adonisjs/core/services/app'
import { packKit } from '../../packages/plugin-kit/pack.mjs'

/** Milliseconds that a command of a plugin may take on a busy machine. A test runs several. */
const DEADLINE_MS = 200_000

const KIT = '@mosaic/plugin-kit'

let packed: Promise<string> | undefined

/** The tarball of the kit, packed once for all specs of a run. */
export function kitTarball(): Promise<string> {
  packed ??= mkdtemp(join(tmpdir(), 'mosaic-kit-')).then(packKit)
  return packed
}

interface Manifest {
  bundleDependencies?: string[]
  dependencies?: Record<string, string>
  devDependencies?: Record<string, string>
  peerDependencies?: Record<string, string>
}

export interface Outcome {
  code: number
  output: string
}

/**
 * A plugin's folder outside the repository. Its kit comes from the tarball; every other package that it or the
 * kit declares is a link to the repository's, so nothing is downloaded, and nothing undeclared is found. What the
 * plugin bundles is a copy, as npm packs no link.
 */
export class OutsideFolder {
  #built: Promise<Outcome> | undefined

  private constructor(readonly path: string) {}

  static async make(): Promise<OutsideFolder> {
    return new OutsideFolder(await mkdtemp(join(tmpdir(), 'mosaic-outside-')))
  }

  /** Copies a folder of the repository into it. */
  async copy(folder: string): Promise<void> {
    await cp(app.makePath(folder), this.path, {
      recursive: true,
      filter: (path) => !/\/(?:node_modules|build)(?:\/|$)/.test(path.slice(app.makePath().length)),
    })
  }

  /** Installs what its `package.json` declares. */
  async install(): Promise<void> {
    const modules = join(this.path, 'node_modules')
    const kit = join(modules, KIT)
    await mkdir(kit, { recursive: true })
    await run('tar', ['-xzf', await kitTarball(), '-C', kit, '--strip-components=1'])
    const manifests = await Promise.all([manifestOf(this.path), manifestOf(kit)])
    const names = manifests.flatMap(({ dependencies, devDependencies, peerDependencies }) =>
      Object.keys({ ...dependencies, ...devDependencies, ...peerDependencies })
    )
    for (const name of new Set(names)) {
      if (name === KIT) continue
      const place = join(modules, name)
      const ours = app.makePath('node_modules', name)
      await mkdir(dirname(place), { recursive: true })
      if (manifests[0].bundleDependencies?.includes(name))
        await cp(ours, place, { recursive: true })
      else await symlink(ours, place)
    }
  }

  /** Runs one of the repository's programs, or Node, in the folder. */
  async node(args: string[]): Promise<Outcome> {
    // What tells Japa or Adonis of the run that this is a part of is no business of the plugin's.
    const { PATH, NODE_COMPILE_CACHE } = process.env
    const env = { PATH, NODE_COMPILE_CACHE, HOME: this.path, TMPDIR: tmpdir(), NO_COLOR: '1' }
    const options = { cwd: this.path, env, timeout: DEADLINE_MS, maxBuffer: 16 * 1024 * 1024 }
    return run(process.execPath, args, options).then(
      ({ stdout, stderr }) => ({ code: 0, output: stdout + stderr }),
      (error) => ({
        code: error.code ?? 1,
        output: `${error.stdout}${error.stderr}${error.killed ? `Ended after ${DEADLINE_MS} ms.` : ''}`,
      })
    )
  }

  typecheck(flags: string[] = []): Promise<Outcome> {
    return this.node([app.makePath('node_modules/typescript/bin/tsc'), '--noEmit', ...flags])
  }

  /** Runs the plugin's own tests: all, or those of the spec files that are named. */
  test(...files: string[]): Promise<Outcome> {
    return this.node(['bin/test.ts', ...files.flatMap((file) => ['--files', file])])
  }

  /** Builds it, once, without checking types again. */
  build(): Promise<Outcome> {
    const compiler = app.makePath('node_modules/typescript/bin/tsc')
    this.#built ??= this.node([compiler, '--project', 'tsconfig.build.json', '--noCheck'])
    return this.#built
  }

  /** Packs the built plugin as npm would publish it. Returns the path of the tarball. */
  async pack(): Promise<string> {
    const flags = ['--ignore-scripts', '--json', `--pack-destination=${this.path}`]
    const { stdout } = await run('npm', ['pack', ...flags], {
      cwd: this.path,
      timeout: DEADLINE_MS,
    })
    return join(this.path, JSON.parse(stdout)[0].filename)
  }

  async close(): Promise<void> {
    await rm(this.path, { recursive: true, force: true })
  }
}

const examples = new Map<string, Promise<OutsideFolder>>()

/** An example plugin outside the repository, installed once for all specs of a run. */
export function exampleFolder(name: string): Promise<OutsideFolder> {
  const known = examples.get(name)
  if (known) return known
  const made = OutsideFolder.make().then(async (folder) => {
    await folder.copy(`examples/plugins/${name}`)
    await folder.install()
    return folder
  })
  examples.set(name, made)
  return made
}

const run = promisify(execFile)

async function manifestOf(folder: string): Promise<Manifest> {
  return JSON.parse(await readFile(join(folder, 'package.json'), 'utf8'))
}
