import type { LlmModel } from '#llm/contract'

/** Adds the adapter's knowledge of a model (name and sizes) to what the service reports. */
export function withKnown(found: LlmModel[], known: LlmModel[]): LlmModel[] {
  const byId = new Map(known.map((model) => [model.id, model]))
  return found.map((model) => ({ ...model, ...byId.get(model.id) }))
}
