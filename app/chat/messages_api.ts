import type { AnthropicEndpoint } from '#llm/direct_endpoints'
import type { DirectModels } from '#chat/direct_models'
import { E_AGENT_NO_MESSAGES } from '#chat/errors'
import type { ModelCatalogue } from '#chat/model_catalogue'
import type { Exchange } from '#chat/openai_chat'
import { readModelRequest } from '#chat/openai_request'
import { withBody, type Bodies } from '#chat/request_body'

export interface MessagesApiServices {
  models: Pick<ModelCatalogue, 'choose'>
  direct: Pick<DirectModels, 'answer'>
  bodies: Bodies
}

/** Anthropic's API: lets its clients talk to the caller's own models of that family. */
export class MessagesApi {
  constructor(protected services: MessagesApiServices) {}

  /**
   * `POST /v1/messages` and `/v1/messages/count_tokens`. Throws errors that precede the answer; later errors
   * end the stream as an error event. A client that left is not an error.
   *
   * @throws E_AGENT_NO_MESSAGES if the model is the agent
   */
  answer(endpoint: AnthropicEndpoint, exchange: Exchange): Promise<void> {
    const { models, direct, bodies } = this.services
    return withBody(bodies, exchange, async (bytes) => {
      const { namedModel, request, stream } = readModelRequest(bytes)
      if (namedModel === null) throw new E_AGENT_NO_MESSAGES()
      const chosen = await models.choose(exchange.agent, namedModel, false)
      if (chosen.by === 'agent') throw new E_AGENT_NO_MESSAGES()
      const { provider, modelId } = chosen
      await direct.answer({ provider, modelId, endpoint, request, stream }, exchange)
    })
  }
}
