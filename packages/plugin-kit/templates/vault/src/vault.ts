import { createCipheriv, createDecipheriv, createHash, randomBytes } from 'node:crypto'
import {
  E_VAULT_TAMPERED,
  E_VAULT_UNKNOWN_KEY,
  type SealContext,
  type VaultDriver,
  type VaultFinding,
} from '@mosaic/plugin-kit/vault'
import type { Keys } from './keys.ts'

const NONCE_BYTES = 12
const TAG_BYTES = 16
const SEALED = /^enc:acme:([0-9a-f]{8}):([A-Za-z0-9_-]+)$/

interface KeyRing {
  sealing: string
  keys: ReadonlyMap<string, Buffer>
}

/** AES-256-GCM with a random nonce per value: `enc:acme:<key id>:<base64url of nonce, tag and ciphertext>`. */
export class AcmeVault implements VaultDriver {
  readonly name = 'acme'
  readonly prefix = 'enc:acme:'

  readonly #read: () => Promise<Keys>
  #ring: Promise<KeyRing> | null = null

  constructor(read: () => Promise<Keys>) {
    this.#read = read
  }

  async seal(plain: string, context: SealContext): Promise<string> {
    const { sealing, keys } = await this.#keys()
    const nonce = randomBytes(NONCE_BYTES)
    const cipher = createCipheriv('aes-256-gcm', keys.get(sealing)!, nonce)
    cipher.setAAD(placeOf(context))
    const text = Buffer.concat([cipher.update(plain, 'utf8'), cipher.final()])
    const payload = Buffer.concat([nonce, cipher.getAuthTag(), text]).toString('base64url')
    return `${this.prefix}${sealing}:${payload}`
  }

  async open(sealed: string, context: SealContext): Promise<string> {
    const [, id, encoded] = SEALED.exec(sealed) ?? []
    if (!id) throw new E_VAULT_TAMPERED()
    const key = (await this.#keys()).keys.get(id)
    if (!key) throw new E_VAULT_UNKNOWN_KEY()
    const payload = Buffer.from(encoded, 'base64url')
    try {
      const nonce = payload.subarray(0, NONCE_BYTES)
      const decipher = createDecipheriv('aes-256-gcm', key, nonce, { authTagLength: TAG_BYTES })
      decipher.setAAD(placeOf(context))
      decipher.setAuthTag(payload.subarray(NONCE_BYTES, NONCE_BYTES + TAG_BYTES))
      const text = decipher.update(payload.subarray(NONCE_BYTES + TAG_BYTES))
      return Buffer.concat([text, decipher.final()]).toString('utf8')
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

  /** Reports problems of the vault, each with a message and a next step. */
  async preflight(): Promise<VaultFinding[]> {
    try {
      await this.#keys()
      return []
    } catch (error) {
      const { message, help } = error as Error & { help?: string }
      return [{ severity: 'error', message, hint: help ?? 'Check where its keys are.' }]
    }
  }

  /** Cached once read. A failed read is retried. */
  #keys(): Promise<KeyRing> {
    this.#ring ??= this.#read().then((keys) => ({
      sealing: idOf(keys[0]),
      keys: new Map(keys.map((key) => [idOf(key), key])),
    }))
    this.#ring.catch(() => (this.#ring = null))
    return this.#ring
  }
}

/** Identifies a key in a sealed value without revealing it. */
function idOf(key: Buffer): string {
  return createHash('sha256').update('acme key id').update(key).digest('hex').slice(0, 8)
}

/** JSON separates the parts, so no two places serialise alike. */
function placeOf({ table, column, rowId }: SealContext): Buffer {
  return Buffer.from(JSON.stringify([table, column, rowId]))
}
