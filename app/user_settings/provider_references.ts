import type { TransactionClientContract } from '@adonisjs/lucid/types/database'
import type LlmProvider from '#models/llm_provider'
import SystemContainer from '#models/system_container'
import UserAgentConfig from '#models/user_agent_config'

/** Returns whether a model reference names a model of this provider. */
function isOf(reference: string | null, name: string): boolean {
  return reference?.startsWith(`${name}/`) === true
}

/** Returns the names of the system agents that use this provider. */
export async function systemAgentsOn(
  provider: LlmProvider,
  client: TransactionClientContract
): Promise<string[]> {
  const rows = await SystemContainer.query({ client })
    .where('provider_id', provider.id)
    .orderBy('name')
  return rows.map(({ name }) => name)
}

/** Lists what in its owner's agent depends on this provider, in words for the owner. */
export async function ownUsesOf(
  provider: LlmProvider,
  client: TransactionClientContract
): Promise<string[]> {
  const config = await ownConfig(provider, client)
  if (!config) return []
  const uses: string[] = []
  if (isOf(config.primaryModel, provider.name)) uses.push('the primary model of your agent')
  if (config.fallbackModels.some((model) => isOf(model, provider.name))) {
    uses.push('a fallback model of your agent')
  }
  if (config.providerId === provider.id) uses.push('your agent as its default provider')
  if (isOf(config.embeddingModel, provider.name)) uses.push('the search in what you know')
  return uses
}

/** Removes the provider from its owner's agent, which falls back to its other models. */
export async function clearOwnUses(
  provider: LlmProvider,
  client: TransactionClientContract
): Promise<void> {
  const config = await ownConfig(provider, client)
  if (!config) return
  const { name } = provider
  if (isOf(config.primaryModel, name)) config.primaryModel = null
  config.fallbackModels = config.fallbackModels.filter((model) => !isOf(model, name))
  if (config.providerId === provider.id) config.providerId = null
  if (isOf(config.embeddingModel, name)) config.embeddingModel = null
  await config.save()
}

/** Renames every reference to the provider's models. */
export async function renameUses(
  provider: LlmProvider,
  formerName: string,
  client: TransactionClientContract
): Promise<void> {
  const renamed = (reference: string) =>
    isOf(reference, formerName)
      ? `${provider.name}${reference.slice(formerName.length)}`
      : reference

  const config = await ownConfig(provider, client)
  if (config) {
    config.primaryModel = config.primaryModel && renamed(config.primaryModel)
    config.fallbackModels = config.fallbackModels.map(renamed)
    config.embeddingModel = config.embeddingModel && renamed(config.embeddingModel)
    await config.save()
  }
  const agents = await SystemContainer.query({ client }).where('provider_id', provider.id)
  for (const agent of agents) {
    agent.primaryModel = agent.primaryModel && renamed(agent.primaryModel)
    await agent.save()
  }
}

function ownConfig(provider: LlmProvider, client: TransactionClientContract) {
  return UserAgentConfig.query({ client }).where('user_id', provider.userId).forUpdate().first()
}
