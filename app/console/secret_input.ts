import type { Readable } from 'node:stream'
import { CodedError } from '#drivers/contract_error'

/** Limit in bytes: above any password or token, below a file piped in by mistake. */
const MAX_BYTES = 64 * 1024

/** Standard input holds more than any secret. */
export class E_INPUT_TOO_LARGE extends CodedError {
  static override status = 413
  static override message = 'Standard input holds more than 64 KB.'
  static override help = 'Give the password or secret alone, without anything before or after it.'
}

/**
 * Reads a secret from standard input, without the line end that `echo` adds. Secrets are never arguments.
 *
 * @throws E_INPUT_TOO_LARGE
 */
export async function readSecret(input: Readable): Promise<string> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of input) {
    const bytes = Buffer.from(chunk)
    size += bytes.byteLength
    if (size > MAX_BYTES) throw new E_INPUT_TOO_LARGE()
    chunks.push(bytes)
  }
  return Buffer.concat(chunks)
    .toString('utf8')
    .replace(/\r?\n$/, '')
}
