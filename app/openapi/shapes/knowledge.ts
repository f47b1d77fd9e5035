import { FOUND_BY } from '#knowledge/search/reciprocal_rank'
import { AUTHORS, FINDING_STATUSES, TASK_STATUSES } from '#models/types'
import {
  anything,
  count,
  flag,
  list,
  nullable,
  number,
  oneOf,
  shape,
  text,
  time,
} from '#openapi/answer'

const findingFields = {
  id: text(),
  title: text(),
  body: text(),
  source: nullable(text()),
  author: oneOf(AUTHORS),
  status: oneOf(FINDING_STATUSES),
  confirmedAt: nullable(time()),
  expiresAt: nullable(time()),
  supersedes: nullable(text()),
  supersededBy: nullable(text()),
  createdAt: time(),
  updatedAt: time(),
}

/** Something that was found out, by its owner or by the owner's agent. */
export const finding = shape(findingFields)

/** The best match first. Scores compare within one search. */
export const foundFindings = list(
  shape({ ...findingFields, score: number(), foundBy: oneOf(FOUND_BY) })
)

/** A value that an agent stores under a key. */
export const memory = shape({
  namespace: text(),
  key: text(),
  value: anything(),
  revision: count(),
  expiresAt: nullable(time()),
  createdAt: time(),
  updatedAt: time(),
})

/** A task. Higher priorities come first. */
export const task = shape({
  id: text(),
  title: text(),
  body: nullable(text()),
  status: oneOf(TASK_STATUSES),
  priority: number(),
  dueAt: nullable(time()),
  assignedUserId: nullable(text()),
  assignedAgent: nullable(text()),
  claimedUntil: nullable(time()),
  result: nullable(text()),
  author: oneOf(AUTHORS),
  createdAt: time(),
  updatedAt: time(),
})

/** An archived conversation. `id` is the one to delete by. */
export const keptConversation = shape({
  id: text(),
  conversationId: text(),
  title: nullable(text()),
  messages: count(),
  lastMessageAt: time(),
})

export const archiveRule = shape({ enabled: flag(), days: count() })

/** Messages of archived conversations, best match first. `id` is the one to delete by. */
export const foundMessages = list(
  shape({
    id: text(),
    conversationId: text(),
    title: nullable(text()),
    role: oneOf(['user', 'assistant']),
    text: text(),
    at: time(),
    score: number(),
  })
)

/** Findings, memories, tasks and archived conversations that were sealed by a key which is lost. */
export const unreadable = shape({ count: count() })
