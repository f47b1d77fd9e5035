import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto'
import type { SecretKey } from '#vaults/secret_keys'
import type { SealContext, VaultDriver, VaultFinding } from '#vaults/contract'
import { E_VAULT_TAMPERED, E_VAULT_UNKNOWN_KEY } from '#vaults/errors'

const PURPOSE = 'mosaic/vault/v1'
const NONCE_BYTES = 12
const TAG_BYTES = 16
const SEALED = /^enc:v1:([0-9a-f]{8}):([A-Za-z0-9_-]+)$/

export interface Aes256GcmConfig {
  /** The first key seals, all open. */
  keys: readonly [SecretKey, ...SecretKey[]]
}

/**
 * AES-256-GCM with a random 96-bit nonce per value: `enc:v1:<key id>:<base64url of nonce, tag and ciphertext>`.
 * The context is the additional authenticated data.
 */
export class Aes256GcmDriver implements VaultDriver {
  readonly name = 'aes256gcm'
  readonly prefix = 'enc:v1:'

  readonly #sealingId: string
  readonly #keys: ReadonlyMap<string, Buffer>

  constructor(config: Aes256GcmConfig) {
    this.#sealingId = config.keys[0].id
    this.#keys = new Map(config.keys.map((key) => [key.id, key.derive(PURPOSE)]))
  }

  async seal(plain: string, context: SealContext): Promise<string> {
    const nonce = randomBytes(NONCE_BYTES)
    const cipher = createCipheriv('aes-256-gcm', this.#key(this.#sealingId), nonce)
    cipher.setAAD(additionalData(context))
    const text = Buffer.concat([cipher.update(plain, 'utf8'), cipher.final()])
    const payload = Buffer.concat([nonce, cipher.getAuthTag(), text]).toString('base64url')
    return `enc:v1:${this.#sealingId}:${payload}`
  }

  async open(sealed: string, context: SealContext): Promise<string> {
    const [, id, encoded] = SEALED.exec(sealed) ?? []
    if (!id) throw new E_VAULT_TAMPERED()

    const key = this.#key(id)
    const payload = Buffer.from(encoded, 'base64url')
    try {
      const decipher = createDecipheriv('aes-256-gcm', key, payload.subarray(0, NONCE_BYTES), {
        authTagLength: TAG_BYTES,
      })
      decipher.setAAD(additionalData(context))
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
    if (this.keyId(sealed) === this.#sealingId) return sealed
    return this.seal(await this.open(sealed, context), context)
  }

  async preflight(): Promise<VaultFinding[]> {
    return []
  }

  #key(id: string): Buffer {
    const key = this.#keys.get(id)
    if (!key) throw new E_VAULT_UNKNOWN_KEY()
    return key
  }
}

/** JSON keeps the three parts separate: no choice of table and column can imitate another pair. */
function additionalData(context: SealContext): Buffer {
  return Buffer.from(JSON.stringify([context.table, context.column, context.rowId]))
}
