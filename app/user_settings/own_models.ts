import LlmProvider from '#models/llm_provider'
import type User from '#models/user'
import UserAgentConfig from '#models/user_agent_config'
import { resolveModel } from '#openclaw/model_references'

/** A model of the user's own provider, and its stored form `<provider name>/<model id>`. */
export interface OwnModel {
  providerId: string
  primaryModel: string
}

/** Resolves an owner's model reference; null if no active provider declares the model. */
export async function ownModel(owner: User, reference: string): Promise<OwnModel | null> {
  const providers = await LlmProvider.ownedBy(owner.id).where('is_active', true).orderBy('id')
  const preferences = await UserAgentConfig.ownedBy(owner.id).first()
  const choice = resolveModel(reference, providers, preferences?.providerId ?? null)
  const declared = choice?.provider.models.some(({ id }) => id === choice.modelId)
  if (!choice || !declared) return null
  return {
    providerId: choice.provider.id,
    primaryModel: `${choice.provider.name}/${choice.modelId}`,
  }
}
