import router from '@adonisjs/core/services/router'
import {
  chatValidator,
  conversationChangeValidator,
  conversationsValidator,
  conversationValidator,
} from '#validators/chat'
import { events, file, json, nothing, one, page } from '#openapi/answer'
import { conversation, readConversation } from '#openapi/shapes/agents'
import {
  completion,
  completionRequest,
  embeddingList,
  embeddingRequest,
  listedModel,
  modelList,
  responseRequest,
  responseResource,
} from '#openapi/shapes/openai'
import { api, relay } from '#start/kernel'

const OpenAiController = () => import('#controllers/openai_controller')
const ChatController = () => import('#controllers/api/chat_controller')
const ConversationsController = () => import('#controllers/api/conversations_controller')

/** OpenAI's surface, on the lean stack: only an access token. */
router
  .group(() => {
    router
      .post('/chat/completions', [OpenAiController, 'complete'])
      .as('openai.complete')
      .takes(completionRequest)
      .answers(json(completion), events)
    router
      .post('/responses', [OpenAiController, 'respond'])
      .as('openai.respond')
      .takes(responseRequest)
      .answers(json(responseResource), events)
    router
      .post('/embeddings', [OpenAiController, 'embed'])
      .as('openai.embed')
      .takes(embeddingRequest)
      .answers(json(embeddingList))
    router.get('/models', [OpenAiController, 'index']).as('openai.models').answers(json(modelList))
    router
      .get('/models/*', [OpenAiController, 'show'])
      .as('openai.model')
      .answers(json(listedModel))
  })
  .prefix('/v1')
  .use(relay)
  .access('token')
  .ability('chat')

/** The page's chat, and the agent's past conversations. */
router
  .group(() => {
    router
      .post('/chat', [ChatController, 'store'])
      .as('api.chat')
      .answers(events)
      .takes(chatValidator)
    router
      .get('/conversations', [ConversationsController, 'index'])
      .as('api.conversations')
      .answers(page(conversation))
      .asks(conversationsValidator)
    router
      .get('/conversations/:id', [ConversationsController, 'show'])
      .as('api.conversation')
      .answers(one(readConversation), file('text/markdown'))
      .asks(conversationValidator)
    router
      .patch('/conversations/:id', [ConversationsController, 'update'])
      .as('api.conversation.update')
      .answers(one(conversation))
      .takes(conversationChangeValidator)
    router
      .delete('/conversations/:id', [ConversationsController, 'destroy'])
      .as('api.conversation.delete')
      .answers(nothing)
  })
  .prefix('/api/v1')
  .use(api)
  .access('signedIn')
  .ability('chat')
