import type { OidcEnforcement } from '#identity/oidc/enforcement'
import type { OidcService } from '#identity/oidc/service'
import type { ServiceDirectory } from '#identity/services/directory'

/** One that leads away from here: what a page calls it, and the address that begins it. */
export interface ServiceLink {
  name: string
  url: string
}

export interface SignInMethodList {
  /** The identity provider by its name, or null while none is set up. */
  oidc: ServiceLink | null
  /** Further services that are switched on. */
  services: ServiceLink[]
  /** Whose passwords are taken. Those of the local admin accounts always are. */
  passwords: 'all' | 'breakglass'
}

/** How one may sign in here. Anyone may ask, so it names nobody. */
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
