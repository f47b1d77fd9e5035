import type { KeyObject } from 'node:crypto'
import { decrypt, encrypt } from '#vaults/aes_gcm'
import type { SecretKey } from '#vaults/secret_keys'
import type { SealContext, VaultDriver, VaultFinding } from '#vaults/contract'
import { E_VAULT_TAMPERED, E_VAULT_UNKNOWN_KEY } from '#vaults/errors'

const PURPOSE = 'mosaic/vault/v1'
/** Prefix of the values that `MOSAIC_SECRET_KEY` seals. */
export const AES_PREFIX = 'enc:v1:'
const FORMER_KEY =
  'Put the former key behind the present one in MOSAIC_SECRET_KEY, separated by a comma, and start again.'
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
  readonly prefix = AES_PREFIX

  readonly #sealingId: string
  readonly #keys: ReadonlyMap<string, KeyObject>

  constructor(config: Aes256GcmConfig) {
    this.#sealingId = config.keys[0].id
    this.#keys = new Map(config.keys.map((key) => [key.id, key.derive(PURPOSE)]))
  }

  async seal(plain: string, context: SealContext): Promise<string> {
    const payload = encrypt(this.#key(this.#sealingId), plain, context)
    return `enc:v1:${this.#sealingId}:${payload}`
  }

  async open(sealed: string, context: SealContext): Promise<string> {
    const [, id, encoded] = SEALED.exec(sealed) ?? []
    if (!id) throw new E_VAULT_TAMPERED()
    return decrypt(this.#key(id), encoded, context)
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

  #key(id: string): KeyObject {
    const key = this.#keys.get(id)
    if (!key) throw new E_VAULT_UNKNOWN_KEY(undefined, { help: FORMER_KEY })
    return key
  }
}
