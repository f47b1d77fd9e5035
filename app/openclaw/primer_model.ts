import type { LlmAdapter, OpenClawEntry } from '#llm/contract'
import { DemoAdapter } from '#llm/adapters/demo'

const MODEL = { id: 'echo', name: 'Primer' }

/** No delay between words: nobody reads along. */
const adapter = new DemoAdapter(0)

/**
 * A model inside Mosaic, named in every agent's document but shown to nobody. A hidden chat with it makes an
 * agent load everything a chat needs, free of charge. It has no row and no key, and bypasses the registry so
 * that no plugin can substitute a real service.
 */
export const PRIMER: Readonly<{
  /** Its provider id at the LLM relay. Ids of rows have 24 characters. */
  providerId: string
  /** Its entry in the document. Provider names contain no underscore, so none can request it. */
  entryId: string
  /** The model, by the gateway's name. */
  model: string
  /**
   * Its session at the gateway; the prefix belongs to no surface, so it is never listed as a conversation.
   */
  sessionKey: string
  adapter: LlmAdapter
}> = {
  providerId: 'primer',
  entryId: 'mosaic_primer',
  model: `mosaic_primer/${MODEL.id}`,
  sessionKey: 'primer:wake',
  adapter,
}

/** Returns its entry in the document, without the agent's token. */
export function primerEntry(relayUrl: string): OpenClawEntry['config'] {
  const { providerId: id, entryId: name } = PRIMER
  const provider = { id, name, apiType: adapter.defaults.apiType, models: [MODEL] }
  return adapter.toOpenClaw(provider, `${relayUrl}/${id}`).config
}
