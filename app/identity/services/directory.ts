import type { ReadyService } from '#identity/services/contract'
import { E_SIGN_IN_REFUSED } from '#identity/services/errors'
import type { OidcService } from '#identity/oidc/service'

/** The services that people can sign in with, as they are set up at the moment of the call. */
export class ServiceDirectory {
  constructor(protected oidc: OidcService) {}

  /** Null while it is not set up. */
  async find(name: string): Promise<ReadyService | null> {
    return name === this.oidc.name ? this.oidc.ready() : null
  }

  /** @throws E_SIGN_IN_REFUSED */
  async findOrFail(name: string): Promise<ReadyService> {
    const service = await this.find(name)
    if (!service) throw new E_SIGN_IN_REFUSED('not_configured')
    return service
  }
}
