import type { HttpContext } from '@adonisjs/core/http'
import { GithubDriver } from '@adonisjs/ally/drivers/github'
import { boundDriver, clientConfig, identityAt } from '#identity/services/bound_driver'
import { E_SERVICE_ANSWER } from '#identity/services/errors'
import { lookAt, serverAddress } from '#identity/services/server_address'
import type {
  Identity,
  ServiceClient,
  SignInMeans,
  SignInService,
  SignInUser,
} from '#identity/services/contract'

const GITHUB = 'https://github.com'

/** Read access to the profile and the addresses only. */
const SCOPES = ['read:user', 'user:email']

class Driver extends boundDriver(GithubDriver) {
  /** The profile does not say whether its address is verified; the list of addresses does. */
  override async getUserInfo(...args: Parameters<GithubDriver['getUserInfo']>) {
    const user = await super.getUserInfo(...args)
    return { ...user, email: null, emailVerificationState: 'unsupported' as const }
  }

  /** GitHub apps may lack the right to read addresses: the person then signs in without one. */
  override async getUserEmail(...args: Parameters<GithubDriver['getUserEmail']>) {
    try {
      return await super.getUserEmail(...args)
    } catch (error) {
      const status = error instanceof E_SERVICE_ANSWER && error.response.statusCode
      if (status === 403 || status === 404) return undefined
      throw error
    }
  }
}

/** GitHub or GitHub Enterprise Server, with Ally's driver. */
export class GithubService implements SignInService {
  readonly name = 'github'
  readonly label = 'GitHub'
  readonly registerAt = 'https://github.com/settings/applications/new'
  readonly checks = ['state', 'pkce'] as const
  readonly address = {
    label: 'GitHub server',
    help: 'Empty for github.com; the address of your server for GitHub Enterprise.',
    placeholder: GITHUB,
    default: GITHUB,
    read: serverAddress,
  }

  driver(ctx: HttpContext, means: SignInMeans) {
    const { address } = means.client
    const api = address === GITHUB ? 'https://api.github.com' : `${address}/api/v3`
    return new Driver(ctx, {
      ...clientConfig(means),
      scopes: SCOPES,
      authorizeUrl: `${address}/login/oauth/authorize`,
      accessTokenUrl: `${address}/login/oauth/access_token`,
      userInfoUrl: `${api}/user`,
      userEmailUrl: `${api}/user/emails`,
    })
  }

  identityOf(user: SignInUser, { address }: ServiceClient): Identity {
    return identityAt(address, user)
  }

  look({ address }: ServiceClient, { fetch }: Pick<SignInMeans, 'fetch'>): Promise<void> {
    return lookAt(address, fetch)
  }
}
