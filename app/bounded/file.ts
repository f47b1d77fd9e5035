import { constants, open, type FileHandle } from 'node:fs/promises'
import { E_INPUT_TOO_LARGE } from '#bounded/errors'

/** Does not follow links, and does not block on a pipe without a writer. */
const AS_IT_IS = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK

export interface FileLimits {
  /** The file as the subject of the error's sentence: "The record of the agent". */
  what: string
  maxBytes: number
}

/**
 * Reads a small regular file as UTF-8. Fails with ELOOP for a link, and with EINVAL for anything but a
 * file.
 *
 * @throws E_INPUT_TOO_LARGE, and as `open` does
 */
export async function readSmallFile(path: string, { what, maxBytes }: FileLimits): Promise<string> {
  await using file = await openRegular(path)
  const bytes = await readAt(file, 0, maxBytes + 1)
  if (bytes.length > maxBytes) throw new E_INPUT_TOO_LARGE(what, maxBytes)
  return bytes.toString('utf8')
}

/**
 * Reads the first bytes of a regular file, for one whose size somebody else decides. Throws as `open`
 * does, ELOOP for a link, EINVAL for anything but a file.
 */
export async function readFileStart(path: string, maxBytes: number): Promise<Buffer> {
  await using file = await openRegular(path)
  return await readAt(file, 0, maxBytes)
}

/**
 * Reads the last bytes of a regular file. Throws as `open` does, ELOOP for a link, EINVAL for anything
 * but a file.
 */
export async function readFileEnd(path: string, maxBytes: number): Promise<Buffer> {
  await using file = await openRegular(path)
  const { size } = await file.stat()
  const start = Math.max(0, size - maxBytes)
  return await readAt(file, start, Math.min(size, maxBytes))
}

/** A file's reported size may be wrong or change, so at most the requested length is allocated. */
async function readAt(file: FileHandle, start: number, length: number): Promise<Buffer> {
  const buffer = Buffer.alloc(length)
  let read = 0
  while (read < length) {
    const { bytesRead } = await file.read(buffer, read, length - read, start + read)
    if (bytesRead === 0) break
    read += bytesRead
  }
  return buffer.subarray(0, read)
}

async function openRegular(path: string): Promise<FileHandle> {
  const file = await open(path, AS_IT_IS)
  if ((await file.stat()).isFile()) return file
  await file.close()
  throw Object.assign(new Error(`${path} is no regular file.`), { code: 'EINVAL', path })
}
