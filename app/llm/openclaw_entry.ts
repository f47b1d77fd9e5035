import type { ApiType, LlmModel, OpenClawEntry } from '#llm/contract'

/** Before the provider's name, in the id of its entry. */
export const ENTRY_PREFIX = 'mosaic-'

/**
 * An entry under an id of Mosaic's own, `mosaic-<provider name>`. OpenClaw 2026.9.6 serves each of its
 * API families under such an id, several of one family beside each other too (tried), whereas the ids
 * it knows bring its own ideas along: `zai` makes every start look for a plugin at npm.
 */
export function openClawEntry(
  provider: { name: string; apiType: ApiType; models: LlmModel[] },
  endpoint: string,
  options: { input: ('text' | 'image')[]; plugins?: string[] }
): OpenClawEntry {
  return {
    id: ENTRY_PREFIX + provider.name,
    config: {
      baseUrl: endpoint,
      api: provider.apiType,
      models: provider.models.map(({ id, name, contextWindow, maxTokens }) => ({
        id,
        name,
        input: options.input,
        ...(contextWindow && { contextWindow }),
        ...(maxTokens && { maxTokens }),
      })),
    },
    plugins: options.plugins ?? [],
  }
}
