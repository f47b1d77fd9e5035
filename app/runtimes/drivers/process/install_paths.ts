import { createHash } from 'node:crypto'
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { existsSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { chmod, copyFile, mkdir, readdir, realpath, rename, rm, stat } from 'node:fs/promises'
import { RuntimeError } from '#runtimes/errors'
import { installedOpenClaw } from '#runtimes/launch'

const run = promisify(execFile)

/** The system's folder for service state. */
const SERVICE_STATE = '/var/lib/mosaic'

/** Linking OpenClaw takes a second, copying it to another disk a few more. */
const COPY_TIMEOUT_MS = 120_000

export interface InstallPathsInput {
  /** Mosaic's storage folder. */
  storage: string
  /** Candidate folders of the OpenClaw package; the first that exists is used. */
  openclaw: string[]
  /** The agents' folder if their users cannot reach `storage`; by default `/var/lib/mosaic`. */
  elsewhere?: string
  /** The launcher script. */
  entrypoint: string
  /** The agents' Node binary. */
  node: string
}

export interface InstallPaths {
  /** Holds one folder per agent. */
  agents: string
  /** OpenClaw's package folder. */
  openclaw: string
  entrypoint: string
  node: string
}

/** Returns the agents' folder, depending on whether agents run as users of their own or as Mosaic's. */
export async function agentsFolder(input: InstallPathsInput, ownUsers: boolean): Promise<string> {
  const folder = join(await home(input, ownUsers), 'agents')
  await mkdir(folder, { recursive: true })
  await chmod(folder, ownUsers ? 0o711 : 0o700)
  return folder
}

/**
 * Returns the paths of everything an agent must reach. Users of their own cannot traverse a closed
 * folder such as `/root`, so programs behind one are linked or copied once to a readable place.
 *
 * @throws RuntimeError `image_missing` if OpenClaw is not installed
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
 * Returns the storage folder, or a system folder if agents cannot reach it. Once used, the system
 * folder stays in use, so that no data is lost from sight.
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

  // The file keeps its name: an agent's shell looks for "node".
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

/** Makes the whole `node_modules` folder readable, because a package needs its siblings. */
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

/**
 * Hard-links if possible: the tree has 650 MB. Files that others cannot read must be copied, with new
 * modes.
 */
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

/** Builds under a temporary name first, so that an interrupted copy is never used. */
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
    // Another process of Mosaic created it first.
    if (!existsSync(target)) throw error
  }
}

/** Whether users who own nothing here can traverse this folder and its parents. */
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
