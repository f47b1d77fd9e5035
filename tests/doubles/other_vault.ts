import type { SealContext, VaultDriver, VaultFinding } from '#vaults/contract'
import { Aes256GcmDriver } from '#vaults/drivers/aes_256_gcm'
import type { SecretKey } from '#vaults/secret_keys'

const OWN = 'enc:other:'

/** A second vault, as from a plugin: its values have their own format. */
export class OtherVault implements VaultDriver {
  readonly name = 'other'
  readonly prefix = OWN
  readonly #inner: Aes256GcmDriver

  constructor(key: SecretKey) {
    this.#inner = new Aes256GcmDriver({ keys: [key] })
  }

  async seal(plain: string, context: SealContext): Promise<string> {
    return this.#outward(await this.#inner.seal(plain, context))
  }

  async open(sealed: string, context: SealContext): Promise<string> {
    return this.#inner.open(this.#inward(sealed), context)
  }

  keyId(sealed: string): string | null {
    return sealed.startsWith(OWN) ? this.#inner.keyId(this.#inward(sealed)) : null
  }

  async reseal(sealed: string, context: SealContext): Promise<string> {
    return this.#outward(await this.#inner.reseal(this.#inward(sealed), context))
  }

  async preflight(): Promise<VaultFinding[]> {
    return []
  }

  #outward(sealed: string): string {
    return sealed.replace('enc:v1:', OWN)
  }

  #inward(sealed: string): string {
    return sealed.replace(OWN, 'enc:v1:')
  }
}
