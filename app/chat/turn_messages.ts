/** A message of an OpenAI request; only its role matters here. */
export interface RequestMessage {
  role?: unknown
  [field: string]: unknown
}

/**
 * Continuation request, added if the list ends with an answer: clients that resume an answer send it so, and a
 * gateway would answer the message before it once more.
 */
const GO_ON: RequestMessage = { role: 'user', content: 'Continue.' }

/** Roles of instructions, which are no part of the talk. */
export const SYSTEM_ROLES = new Set<unknown>(['system', 'developer'])

/**
 * Returns the messages of a request's new turn. OpenAI's clients send the whole conversation each time, but
 * an agent remembers it and would see it repeated. So this keeps only the system messages and those after the
 * last answer, and the call that tool results belong to.
 */
export function newTurn(messages: readonly RequestMessage[]): RequestMessage[] {
  const lastAnswer = messages.findLastIndex((message) => message?.role === 'assistant')
  if (lastAnswer === -1) return [...messages]

  const answersTools = messages[lastAnswer + 1]?.role === 'tool'
  const start = answersTools ? lastAnswer : lastAnswer + 1
  const system = messages.slice(0, start).filter((message) => SYSTEM_ROLES.has(message?.role))
  const turn = messages.slice(start)
  const isSaid = turn.some((message) => !SYSTEM_ROLES.has(message?.role))
  return isSaid ? [...system, ...turn] : [...system, ...turn, GO_ON]
}

/** Returns the messages of a request that stands alone: all of them. */
export function wholeHistory(messages: RequestMessage[]): RequestMessage[] {
  const last = messages.findLast((message) => !SYSTEM_ROLES.has(message?.role))
  return last?.role === 'assistant' ? [...messages, GO_ON] : messages
}
