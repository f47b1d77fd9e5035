/** An entry of an archive. Folders have no content, and their paths end with a slash. */
export interface ArchiveEntry {
  path: string
  content: string | Buffer | null
  mode: number
  uid: number
}

const BLOCK = 512

/**
 * Builds a tar archive (ustar) of a few small files, as the engine accepts it. Paths have at most 100
 * characters.
 */
export function archive(entries: ArchiveEntry[]): Buffer {
  const blocks = entries.flatMap(({ content, ...entry }) => {
    const body = content === null ? Buffer.alloc(0) : Buffer.from(content)
    return [header(entry, body.length, content === null), padded(body)]
  })
  return Buffer.concat([...blocks, Buffer.alloc(2 * BLOCK)])
}

function header(
  { path, mode, uid }: Omit<ArchiveEntry, 'content'>,
  size: number,
  isFolder: boolean
): Buffer {
  if (Buffer.byteLength(path) > 100) throw new RangeError(`The path is too long: ${path}`)
  const block = Buffer.alloc(BLOCK)
  const octal = (value: number, at: number, length: number) =>
    block.write(value.toString(8).padStart(length - 1, '0'), at, 'ascii')
  block.write(path, 0)
  octal(mode, 100, 8)
  octal(uid, 108, 8)
  octal(uid, 116, 8)
  octal(size, 124, 12)
  octal(0, 136, 12)
  block.write(' '.repeat(8), 148, 'ascii')
  block.write(isFolder ? '5' : '0', 156, 'ascii')
  block.write('ustar\x0000', 257, 'ascii')
  const sum = block.reduce((total, byte) => total + byte, 0)
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'ascii')
  return block
}

function padded(body: Buffer): Buffer {
  return Buffer.concat([body, Buffer.alloc((BLOCK - (body.length % BLOCK)) % BLOCK)])
}

/** Returns the content of an archive's file at this path, or null if it is missing. */
export function fileOf(bytes: Buffer, path: string): string | null {
  for (let at = 0; at + BLOCK <= bytes.length && bytes[at] !== 0;) {
    const [name] = bytes.toString('utf8', at, at + 100).split('\0')
    const size = Number.parseInt(bytes.toString('ascii', at + 124, at + 135), 8)
    if (Number.isNaN(size)) return null
    const begin = at + BLOCK
    if (name === path) return bytes.toString('utf8', begin, begin + size)
    at = begin + Math.ceil(size / BLOCK) * BLOCK
  }
  return null
}

/** Returns the content of an archive's first file, or null if there is none. */
export function firstFile(bytes: Buffer): string | null {
  if (bytes.length < BLOCK) return null
  const size = Number.parseInt(bytes.toString('ascii', 124, 135), 8)
  return Number.isNaN(size) ? null : bytes.toString('utf8', BLOCK, BLOCK + size)
}
