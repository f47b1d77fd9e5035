import { createHash } from 'node:crypto'
import { xchacha20poly1305 } from '@noble/ciphers/chacha.js'
import { randomBytes } from '@noble/ciphers/utils.js'
import {
  E_VAULT_TAMPERED,
  E_VAULT_UNKNOWN_KEY,
  type SealContext,
  type VaultDriver,
  type VaultFinding,
} from '@mosaic/plugin-kit/vault'
import { E_KEY_FILE, readKeys } from './keys.ts'

const NONCE_BYTES = 24
const SEALED = /^enc:key-file:([0-9a-f]{16}):([A-Za-z0-9_-]+)$/

export interface KeyFileConfig {
  /** Path of the key file: see `readKeys`. */
  path: string
}

interface KeyRing {
  sealing: string
  keys: ReadonlyMap<string, Uint8Array>
}

/**
 * XChaCha20-Poly1305 with keys from a file: `enc:key-file:<key id>:<base64url of nonce and ciphertext>`. The
 * context is the additional authenticated data. Nonces are random, which their length makes safe.
 */
export class KeyFileVault implements VaultDriver {
  readonly name = 'key-file'
  readonly prefix = 'enc:key-file:'

  readonly #path: string
  #ring: Promise<KeyRing> | null = null

  constructor({ path }: KeyFileConfig) {
    this.#path = path
  }

  async seal(plain: string, context: SealContext): Promise<string> {
    const { sealing, keys } = await this.#keys()
    const nonce = randomBytes(NONCE_BYTES)
    const cipher = xchacha20poly1305(keys.get(sealing)!, nonce, placeOf(context))
    const payload = Buffer.concat([nonce, cipher.encrypt(Buffer.from(plain, 'utf8'))])
    return `${this.prefix}${sealing}:${payload.toString('base64url')}`
  }

  async open(sealed: string, context: SealContext): Promise<string> {
    const [, id, encoded] = SEALED.exec(sealed) ?? []
    if (!id) throw new E_VAULT_TAMPERED()
    const key = (await this.#keys()).keys.get(id)
    if (!key) throw new E_VAULT_UNKNOWN_KEY()
    const payload = Buffer.from(encoded, 'base64url')
    try {
      const nonce = payload.subarray(0, NONCE_BYTES)
      const cipher = xchacha20poly1305(key, nonce, placeOf(context))
      return Buffer.from(cipher.decrypt(payload.subarray(NONCE_BYTES))).toString('utf8')
    } catch (cause) {
      throw new E_VAULT_TAMPERED(undefined, { cause })
    }
  }

  keyId(sealed: string): string | null {
    return SEALED.exec(sealed)?.[1] ?? null
  }

  async reseal(sealed: string, context: SealContext): Promise<string> {
    if (this.keyId(sealed) === (await this.#keys()).sealing) return sealed
    return this.seal(await this.open(sealed, context), context)
  }

  async preflight(): Promise<VaultFinding[]> {
    try {
      await this.#keys()
      return []
    } catch (error) {
      const message = error instanceof Error ? error.message : `The key file failed: ${error}.`
      return [{ severity: 'error', message, hint: E_KEY_FILE.help }]
    }
  }

  /** Cached once read. A failed read is retried, so fixing the file needs no restart. */
  #keys(): Promise<KeyRing> {
    this.#ring ??= readKeys(this.#path).then((keys) => ({
      sealing: idOf(keys[0]),
      keys: new Map(keys.map((key) => [idOf(key), key])),
    }))
    this.#ring.catch(() => (this.#ring = null))
    return this.#ring
  }
}

/** Identifies a key in a sealed value without revealing it. */
function idOf(key: Uint8Array): string {
  return createHash('sha256').update('mosaic key-file id').update(key).digest('hex').slice(0, 16)
}

/** JSON separates the parts, so no two places serialise alike. */
function placeOf({ table, column, rowId }: SealContext): Uint8Array {
  return Buffer.from(JSON.stringify([table, column, rowId]))
}
