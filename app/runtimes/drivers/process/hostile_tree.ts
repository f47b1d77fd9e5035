/**
 * Work inside folders that an agent can change meanwhile. Every entry is reached from an open handle of
 * its folder, so that a folder which is swapped for a link leads nowhere else.
 */
import { randomUUID } from 'node:crypto'
import { chmod, chown, constants, open, opendir, rename, rm, rmdir, unlink } from 'node:fs/promises'
import type { FileHandle } from 'node:fs/promises'
import { RuntimeError } from '#runtimes/errors'

const { O_RDONLY, O_DIRECTORY, O_NOFOLLOW } = constants

/** Linux's way to hold an entry without opening it; Node has no name for it. */
const O_PATH = 0o10000000

/** Handles of folders are paths only where the kernel shows them. Elsewhere agents have no users. */
const HAS_HANDLE_PATHS = process.platform === 'linux'

/** Longer than deleting millions of files takes; an agent that goes on writing ends there. */
const DELETE_DEADLINE_MS = 10 * 60_000

/** What an entry that changed meanwhile answers: the next pass sees what it is by then. */
const CHANGED = new Set(['ENOENT', 'ENOTDIR', 'ELOOP', 'EISDIR', 'ENOTEMPTY', 'EEXIST'])

interface Owner {
  uid: number
  gid: number
}

/**
 * A handle of a folder, never of what a link in its place leads to. Whoever can write to the folder above
 * decides what is there, so that one has to be Mosaic's.
 *
 * @throws RuntimeError when it is no folder
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

/** Deletes what is in a folder, which stays. Links are deleted, not followed, however often they change. */
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

/** Deletes a folder and what is in it. A missing one is success. */
export async function deleteFolder(path: string): Promise<void> {
  try {
    await emptyFolder(path)
    await rmdir(path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
  }
}

/**
 * Gives a folder and what is in it to another user: what its former owner owned, and no file that has a
 * second name, which may be somebody else's outside. Of a link, the link itself changes hands.
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

/** Goes through the folder once, and tells whether anything was in it. */
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
 * Deletes a folder of the root. Folders in it move up into the root, for the next pass: so no depth that
 * an agent can make takes more than two handles.
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

/** A folder that its owner closed to itself is opened again. */
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

/** As bytes: a name need not be text. */
async function* entriesOf(folder: FileHandle): AsyncGenerator<{ name: Buffer; isFolder: boolean }> {
  const options = { encoding: 'buffer' as BufferEncoding }
  for await (const entry of await opendir(at(folder).toString(), options)) {
    yield { name: entry.name as unknown as Buffer, isFolder: entry.isDirectory() }
  }
}

/** The path of an entry of an open folder, or of the handle itself. */
function at(handle: FileHandle, name?: Buffer | string): Buffer {
  const own = `/proc/self/fd/${handle.fd}`
  return name === undefined
    ? Buffer.from(own)
    : Buffer.concat([Buffer.from(`${own}/`), Buffer.from(name as string)])
}

/** Where no agent has a user of its own, it can do nothing that Mosaic could not do for it. */
async function emptyByPath(path: string): Promise<void> {
  const names = await Array.fromAsync(await opendir(path), ({ name }) => name)
  await Promise.all(names.map((name) => rm(`${path}/${name}`, { recursive: true, force: true })))
}
