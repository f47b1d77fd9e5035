import { createHmac, timingSafeEqual } from 'node:crypto'
import type { SecretKey } from '#vaults/secret_keys'

/**
 * The token that claims a new installation. It is derived from the installation's key and ID, so every replica
 * prints the same link and none stores it.
 */
export class SetupToken {
  constructor(
    protected keys: readonly SecretKey[],
    protected installation: () => Promise<string>
  ) {}

  /** Returns the token as in the link: 43 characters. */
  async value(): Promise<string> {
    const [token] = await this.#all()
    return token.toString('base64url')
  }

  /** Returns whether it is this installation's token, under the current key or an older one. */
  async matches(candidate: string): Promise<boolean> {
    const given = Buffer.from(candidate, 'base64url')
    const tokens = await this.#all()
    return tokens.some((token) => given.length === token.length && timingSafeEqual(given, token))
  }

  async #all(): Promise<Buffer[]> {
    const installation = await this.installation()
    return this.keys.map((key) =>
      createHmac('sha256', key.derive('mosaic/setup-token')).update(installation).digest()
    )
  }
}
