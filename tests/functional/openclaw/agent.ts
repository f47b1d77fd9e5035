import app from '@adonisjs/core/services/app'
import type internalConfig from '#config/internal'
import type LlmProvider from '#models/llm_provider'
import { LlmProviderFactory } from '#database/factories/llm_provider_factory'
import { UserContainerFactory } from '#database/factories/user_container_factory'
import { UserFactory } from '#database/factories/user_factory'

/** Returns the address of the internal listener. */
export function internalUrl(): string {
  return app.config.get<typeof internalConfig>('internal').url
}

/** Creates a user with an agent, and returns the agent's token too. */
export async function agentOfSomeone() {
  const user = await UserFactory.create()
  const container = await UserContainerFactory.merge({ userId: user.id }).make()
  await container.renewGatewayToken()
  await container.save()
  const token = await container.open('gatewayToken')
  return { user, container, token: token! }
}

/** Creates a provider of that user, with a key. */
export async function providerOf(
  userId: string,
  values: Partial<LlmProvider> = {},
  apiKey: string | null = 'sk-canary-1'
): Promise<LlmProvider> {
  const provider = await LlmProviderFactory.merge({ userId, ...values }).make()
  await provider.seal('apiKey', apiKey)
  await provider.save()
  return provider
}
