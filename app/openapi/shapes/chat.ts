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

/** A page of the list. One that a sleeping agent told earlier says when. */
export const conversationPage = shape({
  data: list(conversation),
  meta: shape({ ...listMeta.properties, asOf: optional(time()) }),
})

/** A step of a tool that is over. Times in milliseconds. */
const toolStep = shape({
  id: text(),
  name: text(),
  title: text(),
  failed: flag(),
  elapsedMs: count(),
  output: optional(text()),
})

/** Why a turn failed, in Mosaic's words. */
const failure = shape({ code: text(), message: text(), hint: optional(text()) })

/** What went with a message. A picture has an address; of other files the name alone is left. */
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
  failure: optional(failure),
})

/** A part of a conversation, the oldest message first. */
export const readConversation = shape({
  id: text(),
  surface,
  title: nullable(text()),
  messages: list(message),
  nextCursor: nullable(text()),
})

/** A file that waits for its message. */
export const upload = shape({
  id: text(),
  name: text(),
  type: text(),
  size: count(),
  expiresAt: time(),
})
