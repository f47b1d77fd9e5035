/** One agent's data in a file: a compressed tar archive, which its operator alone can read. */
import { createReadStream, createWriteStream } from 'node:fs'
import { rename, rm } from 'node:fs/promises'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createGunzip, createGzip } from 'node:zlib'
import { pieces } from '#bounded/body'
import { E_INPUT_TOO_LARGE } from '#bounded/errors'
import { RuntimeError } from '#runtimes/errors'

const MEGABYTE = 1024 * 1024

export interface CopyLimits {
  signal: AbortSignal
  /** Counts all bytes before compression, and sparse files expanded. */
  maxMb: number
}

/**
 * Writes the data under a temporary name first: a former file of this path stays until the new one is complete and on
 * the disk.
 *
 * @throws RuntimeError `no_capacity` if there is more data than allowed; what the data or the disk throws
 */
export async function writeCopy(path: string, data: Readable, limits: CopyLimits): Promise<void> {
  const partial = `${path}.partial`
  await rm(partial, { force: true })
  const file = createWriteStream(partial, { flags: 'wx', mode: 0o600, flush: true })
  try {
    await pipeline(bounded(data, limits), createGzip(), file, { signal: limits.signal })
    await rename(partial, path)
  } catch (error) {
    await rm(partial, { force: true })
    throw explained(error, limits)
  } finally {
    data.destroy()
  }
}

/**
 * Passes the data of such a file to `read`. The stream ends with an error if the file is truncated, is not a copy, or
 * contains more data than allowed.
 *
 * @throws as `writeCopy`, and what `read` throws
 */
export async function readCopy<T>(
  path: string,
  limits: CopyLimits,
  read: (data: Readable) => Promise<T>
): Promise<T> {
  const file = createReadStream(path)
  const unpacked = createGunzip()
  const unpacking = pipeline(file, unpacked, { signal: limits.signal })
  unpacking.catch(() => {})
  const data = Readable.from(bounded(unpacked, limits), { objectMode: false })
  try {
    return await read(data)
  } catch (error) {
    throw explained(data.errored ?? error, limits)
  } finally {
    data.destroy()
    file.destroy()
    unpacked.destroy()
  }
}

function bounded(data: Readable, { maxMb, signal }: CopyLimits) {
  return pieces(data, { what: "The agent's data", maxBytes: maxMb * MEGABYTE, signal })
}

function explained(error: unknown, { maxMb }: CopyLimits): unknown {
  if (!(error instanceof E_INPUT_TOO_LARGE)) return error
  const message = `The agent's data is larger than the ${maxMb} MB of the setting runtime.moveMb.`
  const help =
    'Raise runtime.moveMb, or have large files of the agent deleted: sparse ones count whole.'
  return new RuntimeError('no_capacity', message, { cause: error, help })
}
