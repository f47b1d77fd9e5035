import type { AgentKey } from '#agents/types'
import { AGENT_MODEL } from '#chat/openai_request'
import { E_CHAT_UNKNOWN_MODEL, E_CHAT_UNUSABLE_MODEL } from '#chat/errors'
import type { ModelListVersions } from '#chat/model_list_versions'
import { speaksOpenAi } from '#llm/direct_endpoints'
import { ENTRY_PREFIX } from '#llm/openclaw_entry'
import { fitsInHeader, unusableModelName } from '#openclaw/model_names'
import { PRIMER } from '#openclaw/primer_model'

/** Prefix of models that the agent answers with. */
const AGENT_PREFIX = `${AGENT_MODEL}/`

/** How long a change made by another replica may go unnoticed, in milliseconds. */
const CHECK_EVERY_MS = 2000

/** Cache size in characters; the oldest lists are evicted first. */
const KEPT_CHARACTERS = 16 * 1024 * 1024

/** The part of an agent's document that lists its models. */
interface DocumentedModels {
  document: {
    models: { providers: Record<string, { api?: string; models: Record<string, unknown>[] }> }
  }
}

/** Assembles an agent's document; fails if its owner has no usable provider. */
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

/** Who answers: the agent, with its own choice or a model by the gateway's name, or a model directly. */
export type Chosen =
  { by: 'agent'; reference: string | null } | { by: 'model'; provider: string; modelId: string }

interface ModelList {
  /** The complete response as JSON. */
  answer: string
  /** Model names as the gateway knows them. */
  references: Set<string>
  /** Everything listed in `answer`, by the owner's names. */
  names: Set<string>
}

interface Kept {
  version: string | null
  list: Promise<ModelList>
  checkedAt: number
  size: number
}

/**
 * The valid values of `model`: the agent itself, or one of its owner's models by name. A list is rebuilt only
 * when its sources change, and costs no query while it is warm.
 */
export class ModelCatalogue {
  readonly #kept = new Map<AgentKey, Kept>()
  #characters = 0

  constructor(
    protected documents: Documents,
    protected versions: Pick<ModelListVersions, 'of'>,
    protected now: () => number = Date.now
  ) {}

  /**
   * Lists the agent first, then each model by the name in the owner's settings: `<provider name>/<model id>`.
   * A model whose service offers none of OpenAI's APIs is listed as `openclaw/…`: the agent answers with it.
   */
  async list(agent: AgentKey): Promise<string> {
    return (await this.#list(agent)).answer
  }

  /** @throws E_CHAT_UNKNOWN_MODEL */
  async find(agent: AgentKey, id: string): Promise<ListedModel> {
    const { names } = await this.#list(agent)
    if (!names.has(id)) throw new E_CHAT_UNKNOWN_MODEL()
    return listed(id)
  }

  /**
   * Resolves a name: `openclaw/<provider name>/<model id>` is the agent with that model, anything else the
   * model itself. A name without a slash matches no model; with `anyName` the agent answers to it.
   *
   * @throws E_CHAT_UNKNOWN_MODEL, E_CHAT_UNUSABLE_MODEL
   */
  async choose(agent: AgentKey, name: string, anyName: boolean): Promise<Chosen> {
    if (name.startsWith(AGENT_PREFIX)) {
      const reference = await this.reference(agent, name.slice(AGENT_PREFIX.length))
      return { by: 'agent', reference }
    }
    const { references } = await this.#list(agent)
    const own = ownName(name)
    const slash = own.indexOf('/')
    if (slash === -1 && anyName) return { by: 'agent', reference: null }
    if (!references.has(ENTRY_PREFIX + own)) throw new E_CHAT_UNKNOWN_MODEL()
    return { by: 'model', provider: own.slice(0, slash), modelId: own.slice(slash + 1) }
  }

  /**
   * Returns the gateway's name of a model, which is also accepted as input.
   *
   * @throws E_CHAT_UNKNOWN_MODEL if it is not one of the owner's
   * @throws E_CHAT_UNUSABLE_MODEL if a request cannot carry this name to the gateway unchanged
   */
  async reference(agent: AgentKey, name: string): Promise<string> {
    const { references } = await this.#list(agent)
    const known = [ENTRY_PREFIX + name, name].find((reference) => references.has(reference))
    if (!known) throw new E_CHAT_UNKNOWN_MODEL()
    const unusable = unusableModelName(known)
    if (unusable) throw new E_CHAT_UNUSABLE_MODEL(unusable)
    if (!fitsInHeader(known)) throw new E_CHAT_UNUSABLE_MODEL()
    return known
  }

  /** Drops an agent's list, after its owner's providers or preferences changed. */
  forget(agent: AgentKey): void {
    const kept = this.#kept.get(agent)
    if (kept) this.#characters -= kept.size
    this.#kept.delete(agent)
  }

  async #list(agent: AgentKey): Promise<ModelList> {
    const kept = this.#kept.get(agent)
    const age = kept ? this.now() - kept.checkedAt : Infinity
    if (kept && age >= 0 && age < CHECK_EVERY_MS) return kept.list

    const checkedAt = this.now()
    const version = await this.versions.of(agent)
    const present = this.#kept.get(agent)
    if (present && present.version !== null && present.version === version) {
      present.checkedAt = checkedAt
      return present.list
    }
    if (present && present !== kept) return present.list
    return this.#make(agent, { version, checkedAt })
  }

  /** Concurrent callers share one build. A failed build is not cached. */
  #make(agent: AgentKey, { version, checkedAt }: Pick<Kept, 'version' | 'checkedAt'>) {
    this.forget(agent)
    const made: Kept = { version, checkedAt, size: 0, list: this.#read(agent) }
    this.#kept.set(agent, made)
    made.list.then(
      ({ answer }) => this.#count(agent, made, answer.length),
      () => this.#kept.get(agent) === made && this.forget(agent)
    )
    return made.list
  }

  #count(agent: AgentKey, made: Kept, size: number): void {
    if (this.#kept.get(agent) !== made) return
    made.size = size
    this.#characters += size
    for (const other of this.#kept.keys()) {
      if (this.#characters <= KEPT_CHARACTERS) return
      if (other !== agent) this.forget(other)
    }
  }

  async #read(agent: AgentKey): Promise<ModelList> {
    const models = await this.#models(agent)
    const names = [AGENT_MODEL, ...models.flatMap(listedName)]
    const answer = JSON.stringify({ object: 'list', data: names.map(listed) })
    const references = new Set(models.map(({ reference }) => reference))
    return { answer, references, names: new Set(names) }
  }

  async #models(agent: AgentKey): Promise<DocumentedModel[]> {
    try {
      const { document } = await this.documents.forAgent(agent)
      return Object.entries(document.models.providers)
        .filter(([entry]) => entry !== PRIMER.entryId)
        .flatMap(([entry, { api, models }]) =>
          models.map(({ id }) => ({ reference: `${entry}/${String(id)}`, api }))
        )
    } catch (error) {
      if ((error as { code?: string }).code === 'E_NO_PROVIDER') return []
      throw error
    }
  }
}

/** A model as named in a document, and its service's API family. */
interface DocumentedModel {
  reference: string
  api?: string
}

/** Returns the name by which clients request a model, or none if no request can carry it. */
function listedName({ reference, api }: DocumentedModel): string[] {
  const name = ownName(reference)
  if (reference !== name && (!api || speaksOpenAi(api))) return [name]
  return fitsInHeader(reference) && !unusableModelName(reference) ? [AGENT_PREFIX + name] : []
}

/** Strips Mosaic's entry prefix from a gateway's model name. */
function ownName(reference: string): string {
  return reference.startsWith(ENTRY_PREFIX) ? reference.slice(ENTRY_PREFIX.length) : reference
}

/** OpenAI's clients require a date; models here have none. */
function listed(id: string): ListedModel {
  return { id, object: 'model', created: 0, owned_by: 'mosaic' }
}
