import router from '@adonisjs/core/services/router'
import {
  approvalAnswerValidator,
  chatValidator,
  conversationChangeValidator,
  conversationsValidator,
  conversationValidator,
  pictureValidator,
  uploadValidator,
} from '#validators/chat'
import { PICTURE_TYPES } from '#chat/attachments'
import { events, file, json, nothing, one } from '#openapi/answer'
import { message, messageRequest, tokenCount } from '#openapi/shapes/anthropic'
import { conversation, conversationPage, readConversation, upload } from '#openapi/shapes/chat'
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
import { api, filesApi, messagesRelay, middleware, relay } from '#start/kernel'

const OpenAiController = () => import('#controllers/openai_controller')
const MessagesController = () => import('#controllers/messages_controller')
const ChatController = () => import('#controllers/api/chat_controller')
const UploadsController = () => import('#controllers/api/uploads_controller')
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

/** Anthropic's surface: only an access token. */
router
  .group(() => {
    router
      .post('/messages', [MessagesController, 'store'])
      .as('anthropic.message')
      .takes(messageRequest)
      .answers(json(message), events)
    router
      .post('/messages/count_tokens', [MessagesController, 'count'])
      .as('anthropic.count')
      .takes(messageRequest)
      .answers(json(tokenCount))
  })
  .prefix('/v1')
  .use(messagesRelay)
  .access('token')
  .ability('chat')

/** A message of the page, with files or without. */
router
  .group(() => {
    router
      .post('/chat', [ChatController, 'store'])
      .as('api.chat')
      .answers(events)
      .takes(chatValidator)
      .use(middleware.jsonBody())
    router
      .post('/uploads', [UploadsController, 'store'])
      .as('api.upload.create')
      .answers(one(upload, 201))
      .takes(uploadValidator)
  })
  .prefix('/api/v1')
  .use(filesApi)
  .access('signedIn')
  .ability('chat')

/** What becomes of a message, and what the agent remembers of earlier ones. */
router
  .group(() => {
    router
      .delete('/uploads/:id', [UploadsController, 'destroy'])
      .as('api.upload.delete')
      .answers(nothing)
    router
      .get('/conversations/:id/run', [ChatController, 'follow'])
      .as('api.conversation.run')
      .answers(events)
    router
      .delete('/conversations/:id/run', [ChatController, 'stop'])
      .as('api.conversation.run.stop')
      .answers(nothing)
    router
      .post('/conversations/:id/approvals/:approval', [ChatController, 'approve'])
      .as('api.conversation.approve')
      .answers(nothing)
      .takes(approvalAnswerValidator)
    router
      .get('/conversations', [ConversationsController, 'index'])
      .as('api.conversations')
      .answers(json(conversationPage))
      .asks(conversationsValidator)
    router
      .get('/conversations/:id', [ConversationsController, 'show'])
      .as('api.conversation')
      .answers(one(readConversation), file('text/markdown'))
      .asks(conversationValidator)
    router
      .get('/conversations/:id/picture', [ConversationsController, 'picture'])
      .as('api.conversation.picture')
      .answers(...PICTURE_TYPES.map(file))
      .asks(pictureValidator)
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
