import { createHmac, type KeyObject } from 'node:crypto'
import type { SealContext } from '#vaults/contract'
import { decryptBytes, encrypt } from '#vaults/aes_gcm'
import { E_DATA_KEY_GONE, E_VAULT_TAMPERED } from '#vaults/errors'
import { derived } from '#vaults/secret_keys'

/** Begins what a data key sealed. The key's id follows. */
export const DATA_SEAL_PREFIX = 'own:v1:'
const SEALED = /^own:v1:([a-z0-9]+):([A-Za-z0-9_-]+)$/

/** 48 bits: two of 100,000 words collide once in fifty thousand owners, and every number is a safe integer. */
const WORD_BYTES = 6

/**
 * Seals and opens one owner's data with their data key, and derives fingerprints by which the database finds entries
 * without reading them. Each purpose derives its own key by HKDF-SHA256.
 */
export class DataCipher {
  readonly #sealing: KeyObject
  readonly #words: KeyObject
  readonly #names: KeyObject

  constructor(
    /** The id of the key's row, which is part of every value that the key seals. */
    readonly id: string,
    /** 32 random bytes. */
    secret: Buffer
  ) {
    this.#sealing = derived(secret, 'mosaic/data/seal/v1')
    this.#words = derived(secret, 'mosaic/data/words/v1')
    this.#names = derived(secret, 'mosaic/data/names/v1')
  }

  /** The prefix of every value that this key sealed, and of no other. */
  get prefix(): string {
    return `${DATA_SEAL_PREFIX}${this.id}:`
  }

  /** `own:v1:<key id>:<base64url>`, bound to its place. */
  seal(plain: string | Buffer, context: SealContext): string {
    return this.prefix + encrypt(this.#sealing, plain, context)
  }

  /** @throws E_DATA_KEY_GONE when another key sealed it, E_VAULT_TAMPERED */
  open(sealed: string, context: SealContext): string {
    return this.openBytes(sealed, context).toString('utf8')
  }

  /** As `open`, for what was sealed as bytes. */
  openBytes(sealed: string, context: SealContext): Buffer {
    const [, id, payload] = SEALED.exec(sealed) ?? []
    if (!id) throw new E_VAULT_TAMPERED()
    if (id !== this.id) throw new E_DATA_KEY_GONE()
    return decryptBytes(this.#sealing, payload, context)
  }

  /** The number under which a word is indexed. The same word differs by owner and by space. */
  word(space: string, word: string): number {
    return mac(this.#words, [space, word]).readUIntBE(0, WORD_BYTES)
  }

  /** Names a text by a fingerprint that only this key can make: 64 hexadecimal characters. */
  name(space: string, ...parts: string[]): string {
    return mac(this.#names, [space, ...parts]).toString('hex')
  }
}

const mac = (key: KeyObject, parts: string[]) =>
  createHmac('sha256', key).update(JSON.stringify(parts)).digest()
