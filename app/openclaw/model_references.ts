import type { LlmModel } from '#llm/contract'

/** The provider fields needed to resolve model references. */
export interface ReferencedProvider {
  id: string
  name: string
  models: LlmModel[]
}

export interface ModelChoice<Provider extends ReferencedProvider> {
  provider: Provider
  modelId: string
}

/**
 * Resolves a reference: `<provider name>/<model id>`, or a bare model id of the default provider. A model id
 * may contain slashes. Returns null if the provider is not among the given ones.
 */
export function resolveModel<Provider extends ReferencedProvider>(
  reference: string,
  providers: Provider[],
  defaultProviderId: string | null
): ModelChoice<Provider> | null {
  const slash = reference.indexOf('/')
  const named = providers.find(({ name }) => slash > 0 && name === reference.slice(0, slash))
  if (named) return { provider: named, modelId: reference.slice(slash + 1) }

  const byDefault = providers.find(({ id }) => id === defaultProviderId)
  if (byDefault && (slash < 0 || declares(byDefault, reference))) {
    return { provider: byDefault, modelId: reference }
  }
  const declaring = providers.find((provider) => declares(provider, reference))
  return declaring ? { provider: declaring, modelId: reference } : null
}

/**
 * Returns the agent's models in order: primary, then fallbacks, without those whose provider is gone. If none
 * is left, the first model of the default provider is used.
 */
export function chooseModels<Provider extends ReferencedProvider>(
  wanted: { primaryModel: string | null; fallbackModels: string[]; providerId: string | null },
  providers: Provider[]
): ModelChoice<Provider>[] {
  const references = [wanted.primaryModel, ...wanted.fallbackModels].filter((ref) => ref !== null)
  const chosen = references
    .map((reference) => resolveModel(reference, providers, wanted.providerId))
    .filter((choice) => choice !== null)
  if (chosen.length > 0) return withoutRepeats(chosen)

  const provider = providers.find(({ id }) => id === wanted.providerId) ?? providers[0]
  return provider ? [{ provider, modelId: provider.models[0].id }] : []
}

function declares(provider: ReferencedProvider, modelId: string): boolean {
  return provider.models.some(({ id }) => id === modelId)
}

function withoutRepeats<Provider extends ReferencedProvider>(
  choices: ModelChoice<Provider>[]
): ModelChoice<Provider>[] {
  const seen = new Set<string>()
  return choices.filter(({ provider, modelId }) => {
    const key = `${provider.id}/${modelId}`
    return !seen.has(key) && seen.add(key)
  })
}
