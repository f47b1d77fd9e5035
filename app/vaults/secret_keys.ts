import { createHash, createSecretKey, hkdfSync, type KeyObject } from 'node:crypto'
import { E_SECRET_KEY_WEAK } from '#vaults/errors'

/** 32 base64 characters are 192 bits; anything shorter was typed, not generated. */
const MIN_LENGTH = 32

/** A random key of 32 characters has about 25 distinct ones; fewer than ten is not random. */
const MIN_DISTINCT = 10

const EXAMPLES =
  /change.?me|example|secret.?key|password|your.?key|insert|placeholder|0123456789|abcdefgh/i

/**
 * A key of `MOSAIC_SECRET_KEY`. Its text is never used as a key: each purpose derives its own by HKDF-SHA256,
 * so a vault key reveals nothing about a cookie key.
 */
export class SecretKey {
  readonly #text: string

  /** Identifies the key in a sealed value without revealing it: 8 hexadecimal characters. */
  readonly id: string

  constructor(text: string) {
    this.#text = text
    this.id = createHash('sha256')
      .update(this.derive('mosaic/key-id').export())
      .digest('hex')
      .slice(0, 8)
  }

  /** Derives 32 bytes for a purpose; the same on every call. */
  derive(purpose: string): KeyObject {
    return derived(this.#text, purpose)
  }
}

/**
 * Derives 32 bytes for a purpose by HKDF-SHA256. As a key object, because Node takes 20 µs to see that bytes are none,
 * for each text that it seals or signs with them.
 */
export function derived(secret: string | Buffer, purpose: string): KeyObject {
  return createSecretKey(new Uint8Array(hkdfSync('sha256', secret, '', purpose, 32)))
}

/**
 * Parses `MOSAIC_SECRET_KEY`: one key, or several separated by commas. The first seals, all open.
 *
 * @throws E_SECRET_KEY_WEAK if one is short, repetitive or a known example
 */
export function parseSecretKeys(value: string): [SecretKey, ...SecretKey[]] {
  const texts = value.split(',').map((text) => text.trim())
  for (const text of texts) {
    if (text.length < MIN_LENGTH || new Set(text).size < MIN_DISTINCT || EXAMPLES.test(text)) {
      throw new E_SECRET_KEY_WEAK()
    }
  }
  const [first, ...others] = texts.map((text) => new SecretKey(text))
  return [first, ...others]
}
