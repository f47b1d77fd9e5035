import { createHmac, timingSafeEqual } from 'node:crypto'
import type { SecretKey } from '#vaults/secret_keys'

/**
 * The token that claims a new installation. It follows from the installation's key and id, so every
 * replica of Mosaic prints the same link and none stores it.
 */
export class SetupToken {
  constructor(
    protected keys: readonly SecretKey[],
    protected installation: () => Promise<string>
  ) {}

  /** The token as the link carries it: 43 characters. */
  async value(): Promise<string> {
    const [token] = await this.#all()
    return token.toString('base64url')
  }

  /** Whether it is the token of this installation, under the present key or an older one. */
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
