import type { OidcEnforcement } from '#identity/oidc/enforcement'
import type { OidcService } from '#identity/oidc/service'
import type { ServiceDirectory } from '#identity/services/directory'

/** A method that leaves Mosaic: its label and start URL. */
export interface ServiceLink {
  name: string
  url: string
}

export interface SignInMethodList {
  /** The identity provider, or null if none is set up. */
  oidc: ServiceLink | null
  /** Other enabled services. */
  services: ServiceLink[]
  /** Whose passwords are accepted. Local admin accounts always are. */
  passwords: 'all' | 'breakglass'
}

/** The available sign-in methods. Anyone may ask, so they name nobody. */
export class SignInMethods {
  constructor(
    protected oidc: OidcService,
    protected services: ServiceDirectory,
    protected enforcement: OidcEnforcement
  ) {}

  async list(): Promise<SignInMethodList> {
    const oidc = await this.oidc.ready()
    const services = await this.services.list()
    return {
      oidc: oidc && linkOf(oidc),
      services: services.map(linkOf),
      passwords: (await this.enforcement.isInForce()) ? 'breakglass' : 'all',
    }
  }
}

const linkOf = ({ name, label }: { name: string; label: string }): ServiceLink => ({
  name: label,
  url: `/auth/${name}/start`,
})
