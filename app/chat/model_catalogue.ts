import type { AgentKey } from '#agents/types'
import { AGENT_MODEL } from '#chat/openai_request'
import { E_CHAT_UNKNOWN_MODEL, E_CHAT_UNUSABLE_MODEL } from '#chat/errors'
import { ENTRY_PREFIX } from '#llm/openclaw_entry'
import { fitsInHeader, unusableModelName } from '#openclaw/model_names'
import { PRIMER } from '#openclaw/primer_model'

/** As much of an agent's document as names its models. */
interface DocumentedModels {
  document: { models: { providers: Record<string, { models: Record<string, unknown>[] }> } }
}

/** Assembles an agent's document; fails where its owner has no usable provider. */
export interface Documents {
  forAgent(agent: AgentKey): Promise<DocumentedModels>
}

/** A model as OpenAI lists it. */
export interface ListedModel {
  id: string
  object: 'model'
  created: number
  owned_by: string
}

/** What a client can put into `model`: the agent itself, or one of its owner's models by name. */
export class ModelCatalogue {
  readonly #documents: Documents

  constructor(documents: Documents) {
    this.#documents = documents
  }

  /** The agent first, then each model that a request can name, as its owner's settings name it: `<provider name>/<model id>`. */
  async list(agent: AgentKey): Promise<ListedModel[]> {
    const named = (await this.#references(agent)).filter(
      (reference) => fitsInHeader(reference) && !unusableModelName(reference)
    )
    return [AGENT_MODEL, ...named.map(ownName)].map(listed)
  }

  /** @throws E_CHAT_UNKNOWN_MODEL */
  async find(agent: AgentKey, id: string): Promise<ListedModel> {
    if (id === AGENT_MODEL) return listed(id)
    return listed(ownName(await this.reference(agent, id)))
  }

  /**
   * The model as the agent's gateway names it. That name is taken too.
   *
   * @throws E_CHAT_UNKNOWN_MODEL for what is none of the owner's
   * @throws E_CHAT_UNUSABLE_MODEL for one that the gateway would not be asked for by this name
   */
  async reference(agent: AgentKey, name: string): Promise<string> {
    const references = await this.#references(agent)
    const known = [ENTRY_PREFIX + name, name].find((reference) => references.includes(reference))
    if (!known) throw new E_CHAT_UNKNOWN_MODEL()
    const unusable = unusableModelName(known)
    if (unusable) throw new E_CHAT_UNUSABLE_MODEL(unusable)
    if (!fitsInHeader(known)) throw new E_CHAT_UNUSABLE_MODEL()
    return known
  }

  async #references(agent: AgentKey): Promise<string[]> {
    try {
      const { document } = await this.#documents.forAgent(agent)
      return Object.entries(document.models.providers)
        .filter(([provider]) => provider !== PRIMER.entryId)
        .flatMap(([provider, { models }]) => models.map(({ id }) => `${provider}/${String(id)}`))
    } catch (error) {
      if ((error as { code?: string }).code === 'E_NO_PROVIDER') return []
      throw error
    }
  }
}

/** A gateway's name of a model without what Mosaic puts before its provider's. */
function ownName(reference: string): string {
  return reference.startsWith(ENTRY_PREFIX) ? reference.slice(ENTRY_PREFIX.length) : reference
}

/** OpenAI's clients want a date; a model here has none. */
function listed(id: string): ListedModel {
  return { id, object: 'model', created: 0, owned_by: 'mosaic' }
}
