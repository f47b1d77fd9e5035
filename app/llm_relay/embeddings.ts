import { quotes } from '#exceptions/logged_error'
import type { EmbeddingInput, Embeddings, Fetch } from '#llm/contract'
import { whileHeld } from '#llm/held_answers'
import { tokenCount, type TokenUsage } from '#llm/token_usage'
import UserAgentConfig from '#models/user_agent_config'
import { E_EMBEDDING_FAILED } from '#llm_relay/errors'
import type { RelayTarget, RelayTargets } from '#llm_relay/relay_targets'

/** How long a call may take, in milliseconds. A local model may have to be loaded first. */
const DEADLINE_MS = 30_000

/** Makes vectors at owners' providers, on their account: for the search in what they know, and for their agents. */
export class ProviderEmbeddings {
  constructor(
    protected targets: Pick<RelayTargets, 'ofOwner'>,
    /** Reaches only addresses allowed by the settings. */
    protected fetch: Fetch,
    /** Called with the usage of each call. */
    protected spent: (agent: RelayTarget['agent'], usage: TokenUsage) => void
  ) {}

  /** Returns the model that an owner chose; null without one, or if its provider is not usable. */
  async of(userId: string) {
    const config = await UserAgentConfig.ownedBy(userId).select('embedding_model').first()
    const chosen = config?.embeddingModel && (await this.#find(userId, config.embeddingModel))
    if (!chosen) return null
    const { target, model } = chosen
    return {
      /** `<provider id>/<model id>`. */
      id: `${target.provider.id}/${model}`,
      /** @throws E_EMBEDDING_FAILED, E_LLM_ANSWERS_FULL */
      embed: (texts: string[], signal?: AbortSignal) => this.#call(target, model, texts, signal),
    }
  }

  /**
   * Tries a model that an owner is about to choose, by one word.
   *
   * @throws E_EMBEDDING_FAILED, E_LLM_ANSWERS_FULL
   */
  async try(userId: string, reference: string): Promise<void> {
    const named = await this.#find(userId, reference)
    if (!named) {
      throw new E_EMBEDDING_FAILED(
        'None of your active providers makes embeddings by this name: write "<provider>/<model>".'
      )
    }
    await this.#call(named.target, named.model, ['Mosaic'])
  }

  /**
   * Makes vectors at a provider whose adapter has `embed`. Failures are results.
   *
   * @throws E_LLM_ANSWERS_FULL, the signal's reason
   */
  async at(
    { adapter, agent, apiKey, apiType, baseUrl }: RelayTarget,
    input: EmbeddingInput,
    callersSignal?: AbortSignal
  ): Promise<Embeddings> {
    const deadline = AbortSignal.timeout(DEADLINE_MS)
    const signal = callersSignal ? AbortSignal.any([callersSignal, deadline]) : deadline
    const connection = { baseUrl: baseUrl!, apiKey, apiType, models: [] }
    const made = await whileHeld(agent, this.fetch, (fetch) =>
      adapter.embed!(connection, input, { fetch, signal })
    )
    const tokens = made.ok && tokenCount(made.tokens)
    if (tokens) this.spent(agent, { in: tokens, out: 0 })
    return made
  }

  async #find(userId: string, reference: string) {
    const slash = reference.indexOf('/')
    if (slash < 1 || slash === reference.length - 1) return null
    const target = await this.targets.ofOwner(userId, reference.slice(0, slash))
    const isUsable = target?.provider.isActive && target.adapter.embed && target.baseUrl
    return isUsable ? { target, model: reference.slice(slash + 1) } : null
  }

  async #call(
    target: RelayTarget,
    model: string,
    texts: string[],
    signal?: AbortSignal
  ): Promise<number[][]> {
    const made = await this.at(target, { model, texts }, signal)
    if (!made.ok) throw quotes(new E_EMBEDDING_FAILED(made.message))
    return made.vectors
  }
}
