import type { HttpContext } from '@adonisjs/core/http'
import { GoogleDriver } from '@adonisjs/ally/drivers/google'
import { boundDriver, clientConfig, identityAt } from '#identity/services/bound_driver'
import type {
  Endpoints,
  Identity,
  SignInMeans,
  SignInService,
  SignInUser,
} from '#identity/services/contract'

const Driver = boundDriver(GoogleDriver)

/**
 * Google, with Ally's driver, which asks Google for the user and ignores the id_token. The issuer equals that
 * of Google's id_tokens, so that people keep their accounts if single sign-on is set up with Google.
 */
export class GoogleService implements SignInService {
  readonly name = 'google'
  readonly label = 'Google'
  readonly registerAt = 'https://console.cloud.google.com/apis/credentials'
  readonly checks = ['state', 'pkce'] as const

  /** `endpoints` replace Google's own, for tests with a double. */
  constructor(protected endpoints: Partial<Endpoints> = {}) {}

  driver(ctx: HttpContext, means: SignInMeans) {
    return new Driver(ctx, {
      ...clientConfig(means),
      ...this.endpoints,
      scopes: ['openid', 'userinfo.email', 'userinfo.profile'],
      prompt: 'select_account',
    })
  }

  identityOf(user: SignInUser): Identity {
    return identityAt('https://accounts.google.com', user)
  }
}
