import { pipeline, type Readable, type Transform } from 'node:stream'
import {
  constants,
  createBrotliDecompress,
  createGunzip,
  createInflate,
  createZstdDecompress,
} from 'node:zlib'

/**
 * The window allowed over HTTP (RFC 9659), as a power of two: 8 MB. Without it, each sender could demand 128
 * MB.
 */
const ZSTD_WINDOW = { params: { [constants.ZSTD_d_windowLogMax]: 23 } }

const DECODERS: Record<string, () => Transform> = {
  'gzip': createGunzip,
  'x-gzip': createGunzip,
  'deflate': createInflate,
  'br': createBrotliDecompress,
  'zstd': () => createZstdDecompress(ZSTD_WINDOW),
}

/** Limit of stacked encodings: nobody applies more. */
const MOST = 2

/**
 * Decompresses a body as it streams. No call asks for compression, but some services compress anyway.
 * `isDecoded` is false for an uncompressed body and for an unknown encoding, which pass unchanged.
 */
export function decodedBody(
  body: Readable,
  encoding: string | string[] | undefined
): { body: Readable; isDecoded: boolean } {
  const names = String(encoding ?? '')
    .toLowerCase()
    .split(',', MOST + 1)
    .map((name) => name.trim())
    .filter((name) => name !== '' && name !== 'identity')
    .toReversed()
  const isKnown = names.every((name) => Object.hasOwn(DECODERS, name))
  if (names.length === 0 || names.length > MOST || !isKnown) return { body, isDecoded: false }

  const decoders = names.map((name) => DECODERS[name]())
  pipeline([body, ...decoders], () => {})
  return { body: decoders.at(-1)!, isDecoded: true }
}
