import type { ApiType, LlmModel, OpenClawEntry } from '#llm/contract'

/** Prefix of the provider's name in the entry's ID. */
export const ENTRY_PREFIX = 'mosaic-'

/**
 * Creates an entry under Mosaic's own ID, `mosaic-<provider name>`. OpenClaw 2026.9.6 serves each API family
 * under such an ID, also several of one family (verified). IDs it knows bring their own behaviour: `zai` makes
 * every start look for a plugin at npm.
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
