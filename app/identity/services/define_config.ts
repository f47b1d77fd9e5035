import { configProvider } from '@adonisjs/core'
import type { ConfigProvider } from '@adonisjs/core/types'
import type { SignInServiceFactory } from '#identity/services/contract'
import type { SignInConfig } from '#identity/services/registry'

/** Declares the sign-in services of an installation. Each is available once an admin has set it up. */
export function defineConfig(config: {
  services: Record<string, ConfigProvider<SignInServiceFactory> | SignInServiceFactory>
}): ConfigProvider<SignInConfig> {
  return configProvider.create(async (app) => {
    const resolved = await Promise.all(
      Object.entries(config.services).map(async ([name, service]) => {
        const factory = typeof service === 'function' ? service : await service.resolver(app)
        return [name, factory] as const
      })
    )
    return { services: Object.fromEntries(resolved) }
  })
}

/** Built-in services, imported on first use of the registry. */
export const services = {
  github: () =>
    configProvider.create<SignInServiceFactory>(async () => {
      const { GithubService } = await import('#identity/services/drivers/github')
      return () => new GithubService()
    }),
  gitlab: () =>
    configProvider.create<SignInServiceFactory>(async () => {
      const { GitlabService } = await import('#identity/services/drivers/gitlab')
      return () => new GitlabService()
    }),
  google: () =>
    configProvider.create<SignInServiceFactory>(async () => {
      const { GoogleService } = await import('#identity/services/drivers/google')
      return () => new GoogleService()
    }),
  microsoft: () =>
    configProvider.create<SignInServiceFactory>(async () => {
      const { MicrosoftService } = await import('#identity/services/drivers/microsoft')
      return () => new MicrosoftService()
    }),
  discord: () =>
    configProvider.create<SignInServiceFactory>(async () => {
      const { DiscordService } = await import('#identity/services/drivers/discord')
      return () => new DiscordService()
    }),
}
