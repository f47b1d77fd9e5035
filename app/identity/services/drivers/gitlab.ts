import { OpenIdService } from '#identity/services/open_id_service'
import { serverAddress } from '#identity/services/server_address'
import type { ServiceClient } from '#identity/services/contract'

const GITLAB = 'https://gitlab.com'

/** GitLab.com or a self-hosted GitLab. It speaks OpenID Connect, so all checks apply. */
export class GitlabService extends OpenIdService {
  readonly name = 'gitlab'
  readonly label = 'GitLab'
  readonly registerAt = 'https://gitlab.com/-/user_settings/applications'
  readonly address = {
    label: 'GitLab server',
    help: 'Empty for gitlab.com; the address of your server otherwise.',
    placeholder: GITLAB,
    default: GITLAB,
    read: serverAddress,
  }

  protected issuerOf({ address }: ServiceClient): string {
    return address
  }
}
