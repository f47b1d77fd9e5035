import type { Readable } from 'node:stream'

/** Limit in bytes: above any password or token, below a file piped in by mistake. */
const MAX_BYTES = 64 * 1024

/** Reads a secret from standard input, without the line end that `echo` adds. Secrets are never arguments. */
export async function readSecret(input: Readable): Promise<string> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of input) {
    const bytes = Buffer.from(chunk)
    size += bytes.byteLength
    if (size > MAX_BYTES) break
    chunks.push(bytes)
  }
  return Buffer.concat(chunks)
    .toString('utf8')
    .replace(/\r?\n$/, '')
}
