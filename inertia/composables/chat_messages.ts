import type { ServerEvent } from '~/api/client'
import type { PastMessage } from '~/api/shapes'
import type { PickedFile } from '~/composables/use_attachments'

export interface ChatFailure {
  code: string
  message: string
  hint?: string
}

/** Tool call. It has a phase while it runs. */
export type ChatTool = NonNullable<PastMessage['tools']>[number] & {
  phase?: 'start' | 'update' | 'end'
}

export type ChatAttachment = NonNullable<PastMessage['attachments']>[number]

/** Approval that the agent asks for before it acts. */
export interface ChatApproval {
  id: string
  title: string
  detail: string | null
  isWhole: boolean
  decisions: string[]
  /** `pending`, or the outcome. */
  state: string
}

/**
 * One message as the page shows it. A user's message is `waiting` until its turn, then `sent`; an answer is
 * `streaming`, then `done`, `stopped` by the user, or `failed`.
 */
export interface ChatMessage {
  id: string
  role: 'user' | 'assistant'
  text: string
  /** When the agent got or wrote it, if it comes from the history. */
  at?: string
  state: 'waiting' | 'sent' | 'streaming' | 'done' | 'stopped' | 'failed'
  failure?: ChatFailure
  reasoning?: string
  tools?: ChatTool[]
  approvals?: ChatApproval[]
  attachments?: ChatAttachment[]
  /** Attached files, while this page holds them. */
  files?: PickedFile[]
  /** When this page sent a question, or found it under way, in milliseconds by the server's clock. */
  sentAt?: number
  /** The question failed, and the page knows of no delivery to the agent. */
  undelivered?: boolean
  model?: string
  standIn?: boolean
  usage?: { inputTokens: number; outputTokens: number }
  /** The connection broke, and the page looks for the rest of the answer. */
  reconnecting?: boolean
}

/** Returns a random id in the characters that conversation ids allow. `randomUUID` needs https. */
export function newId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(12))
  return `c${Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')}`
}

/** Converts a message from the agent's history. */
export function fromHistory(message: PastMessage): ChatMessage {
  const { id: _id, stopped, ...told } = message
  const state = told.failure ? 'failed' : stopped ? 'stopped' : 'done'
  return { id: newId(), ...told, state }
}

/** Hands the files that this page holds to the same questions of the history, to send them again. */
export function keepFiles(messages: ChatMessage[], history: ChatMessage[]): void {
  for (const { text, files } of messages.toReversed()) {
    if (!files) continue
    const same = history.findLast(
      (message) => message.role === 'user' && message.text === text && !message.files
    )
    if (same?.attachments?.length === files.length) same.files = files
  }
}

/** Creates an empty answer. */
export const newAnswer = (): ChatMessage => ({
  id: newId(),
  role: 'assistant',
  text: '',
  state: 'streaming',
})

/** Applies an event of a run to its answer. */
export function takeEvent(answer: ChatMessage, { event, data }: ServerEvent): void {
  if (event === 'delta') answer.text += data.text
  else if (event === 'reasoning') answer.reasoning = (answer.reasoning ?? '') + data.text
  else if (event === 'tool') answer.tools = merged(answer.tools, data)
  else if (event === 'approval') answer.approvals = merged(answer.approvals, data)
  else if (event === 'files') {
    answer.attachments = [...(answer.attachments ?? []), ...data.files]
  } else if (event === 'done') {
    const { usage, model, standIn } = data
    Object.assign(answer, { state: 'done', usage, model, standIn })
  } else if (event === 'stopped') {
    answer.state = 'stopped'
  } else if (event === 'error') {
    answer.state = 'failed'
    answer.failure = { code: data.code, message: data.message, hint: data.hint }
  }
}

/** Merges later items into earlier ones of the same id. */
function merged<Item extends { id: string }>(items: Item[] = [], told: Item): Item[] {
  const known = items.some(({ id }) => id === told.id)
  if (!known) return [...items, told]
  return items.map((item) => (item.id === told.id ? { ...item, ...told } : item))
}
