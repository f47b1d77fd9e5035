import { OpenIdService } from '#identity/services/open_id_service'
import { E_SERVICE_ADDRESS } from '#identity/services/errors'
import type { ServiceClient } from '#identity/services/contract'

/** A tenant ID. Domain names can move to another tenant, and "common" stands for all tenants. */
const TENANT = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

/** The tenant of all personal accounts. */
const PERSONAL = '9188040d-6c67-4c5b-b112-36a304b66dad'

/** Microsoft, for the people of one tenant. It speaks OpenID Connect, so all checks apply. */
export class MicrosoftService extends OpenIdService {
  readonly name = 'microsoft'
  readonly label = 'Microsoft'
  readonly registerAt =
    'https://entra.microsoft.com/#view/Microsoft_AAD_RegisteredApps/ApplicationsListBlade'
  readonly address = {
    label: 'Tenant ID',
    help: `Of your organisation, as its overview in Entra shows it; ${PERSONAL} for personal accounts.`,
    placeholder: '00000000-0000-0000-0000-000000000000',
    default: null,
    read: tenantId,
  }

  /** `authority` replaces Microsoft's own, for tests with a double. */
  constructor(protected authority = 'https://login.microsoftonline.com') {
    super()
  }

  protected issuerOf({ address }: ServiceClient): string {
    return `${this.authority}/${address}/v2.0`
  }
}

/** @throws E_SERVICE_ADDRESS */
function tenantId(entered: string): string {
  const id = entered.toLowerCase()
  if (TENANT.test(id)) return id
  throw new E_SERVICE_ADDRESS(
    'This is no tenant ID.',
    'It has 32 digits and letters from a to f, in five groups.'
  )
}
