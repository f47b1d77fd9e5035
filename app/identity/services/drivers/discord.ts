import type { HttpContext } from '@adonisjs/core/http'
import { DiscordDriver } from '@adonisjs/ally/drivers/discord'
import { boundDriver, clientConfig, identityAt } from '#identity/services/bound_driver'
import type {
  Endpoints,
  Identity,
  SignInMeans,
  SignInService,
  SignInUser,
} from '#identity/services/contract'

const Driver = boundDriver(DiscordDriver)

/** Discord, with Ally's driver. */
export class DiscordService implements SignInService {
  readonly name = 'discord'
  readonly label = 'Discord'
  readonly registerAt = 'https://discord.com/developers/applications'
  readonly checks = ['state', 'pkce'] as const

  /** `endpoints` replace Discord's own, for tests with a double. */
  constructor(protected endpoints: Partial<Endpoints> = {}) {}

  driver(ctx: HttpContext, means: SignInMeans) {
    return new Driver(ctx, {
      ...clientConfig(means),
      ...this.endpoints,
      scopes: ['identify', 'email'],
    })
  }

  identityOf(user: SignInUser): Identity {
    const { username, global_name: name } = user.original
    return identityAt('https://discord.com', {
      ...user,
      nickName: username,
      name: name ?? username,
    })
  }
}
