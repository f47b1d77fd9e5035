import {
  count,
  flag,
  list,
  listMeta,
  nullable,
  oneOf,
  optional,
  shape,
  text,
  time,
} from '#openapi/answer'

const surface = oneOf(['web', 'api'])

export const conversation = shape({
  id: text(),
  surface,
  title: nullable(text()),
  pinned: flag(),
  preview: nullable(text()),
  updatedAt: time(),
  model: optional(nullable(text())),
})

/** A page of the list. `asOf` dates a list that a sleeping agent returned earlier. */
export const conversationPage = shape({
  data: list(conversation),
  meta: shape({ ...listMeta.properties, asOf: optional(time()) }),
})

/** A completed tool step. Times in milliseconds. */
const toolStep = shape({
  id: text(),
  name: text(),
  title: text(),
  failed: flag(),
  elapsedMs: count(),
  output: optional(text()),
})

/** Why a turn failed, as an error of Mosaic's. */
const failure = shape({ code: text(), message: text(), hint: optional(text()) })

/** An attachment of a past message. Pictures have a URL; other files only a name. */
const attachment = shape({ name: text(), type: text(), url: optional(text()) })

const message = shape({
  id: text(),
  role: oneOf(['user', 'assistant']),
  text: text(),
  at: time(),
  reasoning: optional(text()),
  tools: optional(list(toolStep)),
  attachments: optional(list(attachment)),
  model: optional(text()),
  usage: optional(shape({ inputTokens: count(), outputTokens: count() })),
  failure: optional(failure),
  /** Its owner stopped it: the text is what there was by then. */
  stopped: optional(flag()),
})

/** A page of a conversation, oldest message first. */
export const readConversation = shape({
  id: text(),
  surface,
  title: nullable(text()),
  messages: list(message),
  model: optional(nullable(text())),
  nextCursor: nullable(text()),
})

/** A pending upload. */
export const upload = shape({
  id: text(),
  name: text(),
  type: text(),
  size: count(),
  expiresAt: time(),
})
