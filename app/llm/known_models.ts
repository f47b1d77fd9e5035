import type { LlmModel } from '#llm/contract'

/**
 * Adds the adapter's knowledge of a model to what the service lists. The service's sizes win, and so does its name
 * unless it only repeats the ID.
 */
export function withKnown(found: LlmModel[], known: LlmModel[]): LlmModel[] {
  const byId = new Map(known.map((model) => [model.id, model]))
  return found.map((model) => {
    const own = byId.get(model.id)
    if (!own) return model
    const { id, name, contextWindow = own.contextWindow, maxTokens = own.maxTokens } = model
    return {
      id,
      name: name === id ? own.name : name,
      ...(contextWindow && { contextWindow }),
      ...(maxTokens && { maxTokens }),
    }
  })
}
