/** A message of an OpenAI request; only its role matters here. */
export interface RequestMessage {
  role?: unknown
  [field: string]: unknown
}

/** Asks for more of an answer, where the list ends with it: clients that let one go on send it so. */
const GO_ON: RequestMessage = { role: 'user', content: 'Continue.' }

const SYSTEM_ROLES = new Set<unknown>(['system', 'developer'])

/**
 * What of a request belongs to its new turn. OpenAI's clients send the whole conversation each time, but
 * an agent that remembers it would have it pasted into the turn again: so what comes after the last
 * answer is kept, and the system messages. Results of tools need the call that they answer.
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
