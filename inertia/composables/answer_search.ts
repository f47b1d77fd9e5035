import type { ApiFailure, ServerEvent } from '~/api/client'
import { newId, type ChatMessage } from '~/composables/chat_messages'

/** Delays between attempts to resume an answer after a broken connection: a minute, as long as a restart takes. */
export const COME_BACK_MS = [500, 1000, 2000, 3000, 5000, 5000, 8000, 8000, 10_000, 15_000]

/** The same for a page that has just opened, and holds its first question back meanwhile. */
export const LOOK_MS = [0, 500, 1000, 2000, 3000]

/** No connection, Mosaic is away, or the agent cannot be asked right now. */
export const isAway = (status: number) => status === 0 || (status >= 502 && status <= 504)

/** The outcome of the request is unknown: the connection or a proxy ended it before Mosaic answered. */
export const isUnanswered = ({ status, code }: ApiFailure) =>
  status === 0 || (isAway(status) && code === 'E_UNKNOWN')

/** How far an agent's clock may be behind Mosaic's, on another machine. */
const CLOCKS_APART_MS = 2000

/** A question and its answer. */
export interface Exchange {
  question: ChatMessage
  answer: ChatMessage
  /** Time at which Mosaic took the question, or the page sent it, by the server's clock. */
  since?: number
}

/** Resolves after this time, or at once when `signal` is aborted. */
export const pause = (ms: number, signal?: AbortSignal) =>
  new Promise<void>((resolve) => {
    setTimeout(resolve, ms)
    signal?.addEventListener('abort', () => resolve())
  })

/** Clears the answer when the stream restarts it from the beginning. */
export async function* restarted(answer: ChatMessage, events: AsyncIterable<ServerEvent>) {
  for await (const told of events) {
    if (told.event === 'question') {
      const nothing = { text: '', reasoning: undefined, tools: undefined, attachments: undefined }
      Object.assign(answer, { ...nothing, approvals: [], reconnecting: false })
    }
    yield told
  }
}

/**
 * Returns the index of a question in the agent's history, or -1. The same words may have been asked before. Without
 * a time on either side they are taken for this question.
 */
export const indexOfQuestion = (told: ChatMessage[], { question, since }: Exchange): number =>
  told.findLastIndex(
    ({ role, text, at }) =>
      role === 'user' &&
      text === question.text &&
      !(at && since && Date.parse(at) < since - CLOCKS_APART_MS)
  )

/**
 * The agent's history with what this page alone has: questions whose answers failed or were stopped, the exchange under
 * way, and queued messages. The history may hold the question under way, and the start of its answer.
 *
 * @param isWhole whether there are no earlier messages than these
 */
export function withOwn(history: ChatMessage[], isWhole: boolean, messages: ChatMessage[]) {
  const waiting = messages.filter(({ state }) => state === 'waiting')
  const at = messages.findIndex(({ state }) => state === 'streaming')
  const underWay = messages.slice(Math.max(at - 1, 0), at + 1)
  const [question, answer] = underWay
  const since = question && (question.sentAt ?? Date.parse(question.at ?? ''))
  const index = question ? indexOfQuestion(history, { question, answer, since }) : -1
  const before = index === -1 ? history : history.slice(0, index)
  return [...before, ...brokenOff(history, isWhole, messages), ...underWay, ...waiting]
}

/** Questions of this page whose answers failed or were stopped, with those answers, that the agent's history lacks. */
const brokenOff = (history: ChatMessage[], isWhole: boolean, messages: ChatMessage[]) =>
  messages.flatMap((question, index) => {
    const answer = messages[index + 1]
    const { sentAt: since, undelivered } = question
    if (since === undefined || !['failed', 'stopped'].includes(answer?.state)) return []
    const isEarlier = !isWhole && Date.parse(history[0]?.at ?? '') > since
    if (isEarlier && !undelivered) return []
    return indexOfQuestion(history, { question, answer, since }) === -1 ? [question, answer] : []
  })

/** A question whose answer is under way, as Mosaic tells it. */
export interface RunningQuestion {
  text: string
  /** ISO 8601, by the server's clock. */
  startedAt: string
}

/**
 * Puts an answer under way behind its question, and before the queued messages. The history may hold the question, and
 * the start of its answer.
 */
export function place(messages: ChatMessage[], running: RunningQuestion, answer: ChatMessage) {
  const waiting = messages.filter(({ state }) => state === 'waiting')
  const told = messages.filter(({ state }) => state !== 'waiting')
  const text = running.text.trim()
  const sentAt = Date.parse(running.startedAt)
  const index = told.findLastIndex(({ role }) => role === 'user')
  const isTold = index !== -1 && told[index].text === text && !isAnswered(told.slice(index), sentAt)
  const before = isTold ? told.slice(0, index) : told
  const question: ChatMessage = isTold
    ? told[index]
    : { id: newId(), role: 'user', text, state: 'done', sentAt }
  return { question, messages: [...before, question, answer, ...waiting] }
}

/** Whether a question and its answer are older than a run of the same words. Those of this page have no times. */
function isAnswered([{ at }, ...answers]: ChatMessage[], startedAt: number): boolean {
  const isOlder = at === undefined || Date.parse(at) < startedAt - CLOCKS_APART_MS
  return isOlder && answers.some(({ state, text }) => state === 'done' && text !== '')
}
