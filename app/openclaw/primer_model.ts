import type { LlmAdapter, OpenClawEntry } from '#llm/contract'
import { DemoAdapter } from '#llm/adapters/demo'

const MODEL = { id: 'echo', name: 'Primer' }

/** Answers at once: nobody reads along. */
const adapter = new DemoAdapter(0)

/**
 * A model inside Mosaic that every agent's document names and no one is shown. A hidden chat with it
 * makes an agent load all that a chat needs, at nobody's cost. It is no row and has no key, and it is
 * made here rather than taken from the registry, so that no plugin can put a real service in its place.
 */
export const PRIMER: Readonly<{
  /** In place of a provider's id at the LLM relay. Those of rows are cuid2, of 24 characters. */
  providerId: string
  /** Its entry in the document. Providers' names have no underscore, so none can ask for it. */
  entryId: string
  /** The model as a gateway names it. */
  model: string
  /** Its session at the gateway: of none of the surfaces whose sessions are conversations. */
  sessionKey: string
  adapter: LlmAdapter
}> = {
  providerId: 'primer',
  entryId: 'mosaic_primer',
  model: `mosaic_primer/${MODEL.id}`,
  sessionKey: 'primer:wake',
  adapter,
}

/** Its entry in the document, without the agent's token. */
export function primerEntry(relayUrl: string): OpenClawEntry['config'] {
  const { providerId: id, entryId: name } = PRIMER
  const provider = { id, name, apiType: adapter.defaults.apiType, models: [MODEL] }
  return adapter.toOpenClaw(provider, `${relayUrl}/${id}`).config
}
