/**
 * File operations in folders that an agent can change concurrently. Every entry is reached through an
 * open handle of its folder, so that swapping a folder for a link leads nowhere else.
 */
import { randomUUID } from 'node:crypto'
import { chmod, chown, constants, open, opendir, rename, rm, rmdir, unlink } from 'node:fs/promises'
import type { FileHandle } from 'node:fs/promises'
import { RuntimeError } from '#runtimes/errors'

const { O_RDONLY, O_DIRECTORY, O_NOFOLLOW } = constants

/** Linux's flag for a handle to an entry without opening it; Node has no constant for it. */
const O_PATH = 0o10000000

/** Only Linux exposes folder handles as paths. On other systems agents have no users of their own. */
const HAS_HANDLE_PATHS = process.platform === 'linux'

/** Longer than deleting millions of files takes; bounds an agent that keeps writing. */
const DELETE_DEADLINE_MS = 10 * 60_000

/** Errors of an entry that changed meanwhile; the next pass sees its new state. */
const CHANGED = new Set(['ENOENT', 'ENOTDIR', 'ELOOP', 'EISDIR', 'ENOTEMPTY', 'EEXIST'])

interface Owner {
  uid: number
  gid: number
}

/**
 * Opens a folder, but never the target of a link in its place. Anyone who can write to the parent
 * decides what is there, so the parent must belong to Mosaic.
 *
 * @throws RuntimeError if it is not a folder
 */
export async function openFolder(path: string): Promise<FileHandle> {
  try {
    return await openAt(path)
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException
    if (code !== 'ELOOP' && code !== 'ENOTDIR') throw cause
    throw new RuntimeError('internal', `${path} is not the folder that Mosaic made there.`, {
      cause,
      help: 'See what put something else in its place, move that away, and try again.',
    })
  }
}

/**
 * Deletes a folder's content, but not the folder. Deletes links without following them, however often
 * they change.
 */
export async function emptyFolder(path: string): Promise<void> {
  if (!HAS_HANDLE_PATHS) return emptyByPath(path)
  await using root = await openFolder(path)
  const deadline = performance.now() + DELETE_DEADLINE_MS
  const demandTime = () => {
    if (performance.now() < deadline) return
    throw new RuntimeError('internal', `${path} is written to while it is deleted.`, {
      help: 'See which processes work in it, end them, and try again.',
    })
  }
  while (await deletePass(root, demandTime));
}

/** Deletes a folder and its content. A no-op if it is missing. */
export async function deleteFolder(path: string): Promise<void> {
  try {
    await emptyFolder(path)
    await rmdir(path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
  }
}

/**
 * Gives a folder and its content to another user: everything its former owner owned, except hard-linked
 * files, which may belong to someone outside. Changes the owner of links, not of their targets.
 */
export async function giveAway(path: string, to: Owner): Promise<void> {
  await using root = await openFolder(path)
  const { uid: from } = await root.stat()
  if (HAS_HANDLE_PATHS) await giveContents(root, from, to)
  await root.chown(to.uid, to.gid)
}

async function giveContents(folder: FileHandle, from: number, to: Owner): Promise<void> {
  for await (const { name } of entriesOf(folder)) {
    await using entry = await open(at(folder, name), O_PATH | O_NOFOLLOW)
    const { uid, nlink, isFolder } = await kindOf(entry)
    if (uid !== from || (!isFolder && nlink > 1)) continue
    if (isFolder) {
      await using inside = await openAt(at(entry, '.'))
      await giveContents(inside, from, to)
    }
    await chown(at(entry), to.uid, to.gid)
  }
}

async function kindOf(entry: FileHandle) {
  const stat = await entry.stat()
  return { uid: stat.uid, nlink: stat.nlink, isFolder: stat.isDirectory() }
}

/** Walks the folder once. Returns whether it had any entries. */
async function deletePass(root: FileHandle, demandTime: () => void): Promise<boolean> {
  let found = false
  for await (const { name, isFolder } of entriesOf(root)) {
    demandTime()
    found = true
    await unlessChanged(isFolder ? deleteUpwards(root, name, demandTime) : unlink(at(root, name)))
  }
  return found
}

/**
 * Deletes a folder in the root. Its subfolders move up into the root for the next pass, so that any
 * depth takes only two handles.
 */
async function deleteUpwards(
  root: FileHandle,
  name: Buffer,
  demandTime: () => void
): Promise<void> {
  await using folder = await openClosed(at(root, name))
  for await (const entry of entriesOf(folder)) {
    demandTime()
    const path = at(folder, entry.name)
    await unlessChanged(entry.isFolder ? rename(path, at(root, randomUUID())) : unlink(path))
  }
  await rmdir(at(root, name))
}

async function unlessChanged(work: Promise<void>): Promise<void> {
  await work.catch((error: NodeJS.ErrnoException) => {
    if (!CHANGED.has(error.code ?? '')) throw error
  })
}

/** Opens a folder whose owner removed its own access. */
async function openClosed(path: Buffer): Promise<FileHandle> {
  try {
    return await openAt(path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EACCES') throw error
    await using entry = await open(path, O_PATH | O_DIRECTORY | O_NOFOLLOW)
    await chmod(at(entry), 0o700)
    return openAt(at(entry, '.'))
  }
}

function openAt(path: string | Buffer): Promise<FileHandle> {
  return open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW)
}

/** Yields names as bytes, because they need not be text. */
async function* entriesOf(folder: FileHandle): AsyncGenerator<{ name: Buffer; isFolder: boolean }> {
  const options = { encoding: 'buffer' as BufferEncoding }
  for await (const entry of await opendir(at(folder).toString(), options)) {
    yield { name: entry.name as unknown as Buffer, isFolder: entry.isDirectory() }
  }
}

/** Returns the path of an entry of an open folder, or of the handle itself. */
function at(handle: FileHandle, name?: Buffer | string): Buffer {
  const own = `/proc/self/fd/${handle.fd}`
  return name === undefined
    ? Buffer.from(own)
    : Buffer.concat([Buffer.from(`${own}/`), Buffer.from(name as string)])
}

/** If agents have no users of their own, they can do nothing that Mosaic could not do for them. */
async function emptyByPath(path: string): Promise<void> {
  const names = await Array.fromAsync(await opendir(path), ({ name }) => name)
  await Promise.all(names.map((name) => rm(`${path}/${name}`, { recursive: true, force: true })))
}
