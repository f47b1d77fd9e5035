import { createHash } from 'node:crypto'
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { existsSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { chmod, copyFile, mkdir, readdir, realpath, rename, rm, stat } from 'node:fs/promises'
import { RuntimeError } from '#runtimes/errors'
import { installedOpenClaw } from '#runtimes/launch'

const run = promisify(execFile)

/** Where the machine keeps the state of services. */
const SERVICE_STATE = '/var/lib/mosaic'

/** Linking OpenClaw takes a second, copying it to another disk a few more. */
const COPY_TIMEOUT_MS = 120_000

export interface InstallPathsInput {
  /** Mosaic's storage folder. */
  storage: string
  /** Folders of the OpenClaw package, of which the first that exists is taken. */
  openclaw: string[]
  /** Holds the agents when the way to `storage` is closed to their users; by default `/var/lib/mosaic`. */
  elsewhere?: string
  /** The launcher script. */
  entrypoint: string
  /** The Node binary that agents run on. */
  node: string
}

export interface InstallPaths {
  /** Holds one folder for each agent. */
  agents: string
  /** The package folder of OpenClaw. */
  openclaw: string
  entrypoint: string
  node: string
}

/** The folder of the agents, given that they run as users of their own or as Mosaic's. */
export async function agentsFolder(input: InstallPathsInput, ownUsers: boolean): Promise<string> {
  const folder = join(await home(input, ownUsers), 'agents')
  await mkdir(folder, { recursive: true })
  await chmod(folder, ownUsers ? 0o711 : 0o700)
  return folder
}

/**
 * Where everything is that an agent must reach. Users of their own cannot pass a closed folder, such as
 * `/root`: what lies behind one is linked or copied, once, to where they can read it.
 *
 * @throws RuntimeError `image_missing` when OpenClaw is not installed
 */
export async function installPaths(
  input: InstallPathsInput,
  ownUsers: boolean
): Promise<InstallPaths> {
  const openclaw = installedOpenClaw(input.openclaw)
  const agents = await agentsFolder(input, ownUsers)
  if (!ownUsers) return { agents, openclaw, entrypoint: input.entrypoint, node: input.node }

  const shared = join(dirname(agents), 'shared')
  return {
    agents,
    openclaw: await openPackage(openclaw, shared),
    entrypoint: await openFile(input.entrypoint, shared),
    node: await openFile(input.node, shared),
  }
}

/**
 * The storage folder, or a folder of the system in its place when agents cannot get there. Once taken,
 * the other folder stays the place, so that data is never lost from sight.
 */
async function home({ storage, elsewhere }: InstallPathsInput, ownUsers: boolean): Promise<string> {
  await mkdir(storage, { recursive: true })
  if (!ownUsers) return storage

  const real = await realpath(storage)
  const key = createHash('sha256').update(real).digest('hex').slice(0, 12)
  const services = elsewhere ?? SERVICE_STATE
  const other = join(services, key)
  if (existsSync(join(other, 'agents'))) return other

  if (await isOpen(dirname(real))) {
    const { mode } = await stat(real)
    if (!(mode & 0o001)) await chmod(real, (mode & 0o777) | 0o001)
    return real
  }
  const left = await readdir(join(real, 'agents')).catch(() => [] as string[])
  if (left.length > 0) {
    throw new RuntimeError('internal', `Agents can no longer reach their data in ${real}.`, {
      help: `A folder above it was closed to other users. Open it again, for instance with: chmod o+x ${dirname(real)}`,
    })
  }
  await mkdir(other, { recursive: true })
  await chmod(services, 0o711)
  await chmod(other, 0o711)
  return other
}

async function openFile(path: string, shared: string): Promise<string> {
  const real = await realpath(path)
  const { mode, mtimeMs, size } = await stat(real)
  if (mode & 0o004 && (await isOpen(dirname(real)))) return real

  // Its name stays: a shell of the agent looks for "node".
  const folder = join(shared, fingerprint(real, mtimeMs, size))
  const copy = join(folder, basename(real))
  if (existsSync(copy)) return copy
  await stage(shared, folder, async (temporary) => {
    await mkdir(temporary)
    await chmod(temporary, 0o755)
    await copyFile(real, join(temporary, basename(real)))
    await chmod(join(temporary, basename(real)), mode & 0o100 ? 0o755 : 0o644)
  })
  return copy
}

/** A package needs the packages beside it, so the whole `node_modules` folder is made readable. */
async function openPackage(folder: string, shared: string): Promise<string> {
  const real = await realpath(folder)
  const manifest = await stat(join(real, 'package.json'))
  const readable = Boolean(manifest.mode & 0o004)
  if (readable && (await isOpen(real))) return real

  const tree = basename(dirname(real)) === 'node_modules' ? dirname(real) : real
  const print = fingerprint(real, manifest.mtimeMs, manifest.size)
  const copy = join(shared, `openclaw-${print}`, basename(tree))
  const result = tree === real ? copy : join(copy, basename(real))
  if (existsSync(copy)) return result
  await stage(shared, dirname(copy), async (temporary) => {
    await mkdir(temporary)
    await chmod(temporary, 0o755)
    await copyTree(tree, join(temporary, basename(tree)), readable)
  })
  return result
}

/** Links where it can: the tree has 650 MB. What others must not read needs a copy with its own modes. */
async function copyTree(from: string, to: string, readable: boolean): Promise<void> {
  const options = { timeout: COPY_TIMEOUT_MS }
  if (readable) {
    try {
      await run('cp', ['-al', from, to], options)
      return
    } catch {
      await rm(to, { recursive: true, force: true })
    }
  }
  await run('cp', ['-a', from, to], options)
  await run('chmod', ['-R', 'a+rX', to], options)
}

/** Makes something whole under another name first: a copy that was interrupted is never used. */
async function stage(
  shared: string,
  target: string,
  make: (temporary: string) => Promise<void>
): Promise<void> {
  await mkdir(shared, { recursive: true })
  await chmod(shared, 0o755)
  const temporary = `${target}.${crypto.randomUUID()}`
  try {
    await make(temporary)
    await rename(temporary, target)
  } catch (error) {
    await rm(temporary, { recursive: true, force: true })
    // Another process of Mosaic was faster.
    if (!existsSync(target)) throw error
  }
}

/** Whether users that own nothing here can pass this folder and all above it. */
export async function isOpen(folder: string): Promise<boolean> {
  for (let at = folder; ; at = dirname(at)) {
    const { mode } = await stat(at)
    if (!(mode & 0o001)) return false
    if (at === dirname(at)) return true
  }
}

function fingerprint(...parts: (string | number)[]): string {
  return createHash('sha256').update(parts.join('\n')).digest('hex').slice(0, 12)
}
