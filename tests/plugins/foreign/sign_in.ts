import type { ApplicationService } from '@adonisjs/core/types'
import type { HttpContext } from '@adonisjs/core/http'
import { SpotifyDriver } from '@adonisjs/ally/drivers/spotify'
import {
  boundDriver,
  clientConfig,
  identityAt,
  type SignInMeans,
  type SignInService,
  type SignInUser,
} from '@mosaic/plugin-kit/sign-in'

const Driver = boundDriver(SpotifyDriver)

/** A service as the documentation shows it. */
export class SpotifyService implements SignInService {
  readonly name = 'spotify'
  readonly label = 'Spotify'
  readonly registerAt = 'https://developer.spotify.com/dashboard'
  readonly checks = ['state', 'pkce'] as const

  driver(ctx: HttpContext, means: SignInMeans) {
    return new Driver(ctx, clientConfig(means))
  }

  identityOf(user: SignInUser) {
    return identityAt('https://accounts.spotify.com', user)
  }
}

export async function extendSignIn(app: ApplicationService) {
  const services = await app.container.make('identity.services.registry')
  services.extend('spotify', () => new SpotifyService())
  // @ts-expect-error A service says who signed in.
  services.extend('nobody', () => ({ ...new SpotifyService(), identityOf: undefined }))
}

// @ts-expect-error There is no check of this kind.
export const checks: SignInService['checks'] = ['state', 'smile']
