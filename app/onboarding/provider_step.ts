import type { LlmModel } from '#llm/contract'
import type { Actor } from '#settings/actor'
import LlmProvider from '#models/llm_provider'
import type { ModelInput, ProviderInput } from '#user_settings/provider_input'
import type { AgentPreferences } from '#user_settings/agent_preferences'
import type { ProviderDirectory } from '#user_settings/provider_directory'
import { E_CONNECTION_FAILED, E_ONBOARDING_STEP } from '#onboarding/errors'

export interface ProviderStepInput extends ProviderInput {
  /** A model ID of this provider, with or without the provider's name as a prefix. */
  primaryModel: string
}

/** The first admin's provider, and their agent's first model. */
export class ProviderStep {
  constructor(
    protected providers: ProviderDirectory,
    protected preferences: AgentPreferences
  ) {}

  /**
   * Tests the connection, then stores the provider (again if the step is repeated) and selects the model.
   *
   * @throws E_CONNECTION_FAILED, E_ONBOARDING_STEP, E_VALIDATION_ERROR, E_UNKNOWN_PROVIDER_TYPE
   */
  async store({ primaryModel, ...input }: ProviderStepInput, actor: Actor): Promise<LlmProvider> {
    const ownerId = actor.user.id
    const present = await LlmProvider.ownedBy(ownerId).where('name', input.name).first()
    const test = present
      ? await this.providers.testStored(ownerId, present.id, input)
      : await this.providers.test(ownerId, input)
    if (!test.ok) throw new E_CONNECTION_FAILED(test)

    const prefix = `${input.name}/`
    const modelId = primaryModel.startsWith(prefix)
      ? primaryModel.slice(prefix.length)
      : primaryModel
    const models = modelsWith(modelId, input.models ?? [], test.models)
    const provider = present
      ? await this.providers.update(actor, present.id, { ...input, models })
      : await this.providers.create(actor, { ...input, models })
    await this.preferences.put(actor, {
      providerId: provider.id,
      primaryModel: `${provider.name}/${modelId}`,
    })
    return provider
  }
}

/** Returns the declared models, plus the chosen one as the service describes it. */
function modelsWith(modelId: string, declared: ModelInput[], found: LlmModel[]): ModelInput[] {
  if (declared.some(({ id }) => id === modelId)) return declared
  const chosen = found.find(({ id }) => id === modelId)
  if (!chosen && found.length > 0) {
    const some = found.slice(0, 5).map(({ id }) => id)
    throw new E_ONBOARDING_STEP(
      `The service has no model "${modelId}".`,
      'primaryModel',
      `It has, among others: ${some.join(', ')}.`
    )
  }
  return [...declared, chosen ?? { id: modelId }]
}
