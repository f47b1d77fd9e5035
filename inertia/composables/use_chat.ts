import { computed, onScopeDispose, reactive, ref, shallowRef } from 'vue'
import { api, ApiFailure, postForEvents } from '~/api/client'
import { conversationPath } from '~/api/conversations'
import type { Conversation } from '~/api/shapes'
import { useAgent } from '~/composables/use_agent'
import { t } from '~/locales'

export interface ChatFailure {
  code: string
  message: string
  hint?: string
}

/**
 * One message as the page shows it. A user's is `waiting` until its turn comes, `sent` while it is on
 * its way or being answered; an answer is `streaming`, then `done`, `stopped` by its reader, or `failed`.
 */
export interface ChatMessage {
  id: string
  role: 'user' | 'assistant'
  text: string
  state: 'waiting' | 'sent' | 'streaming' | 'done' | 'stopped' | 'failed'
  failure?: ChatFailure
}

/** Random, in the letters that a conversation's id may have; `randomUUID` needs https. */
function newId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(12))
  return `c${Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')}`
}

const toFailure = ({ code, message, hint }: ApiFailure): ChatFailure => ({ code, message, hint })

/** A conversation with one's agent: what was said, what waits, and the answer as it comes. */
export function useChat(onAnswered: () => void) {
  const agent = useAgent()
  const conversationId = ref(newId())
  const messages = ref<ChatMessage[]>([])
  const loading = ref(false)
  const loadFailure = shallowRef<ApiFailure>()
  const olderCursor = ref<string | null>(null)
  let current: { abort: AbortController; conversation: string } | undefined
  /** Which question for earlier messages is the last one: the answer to another is too late. */
  let asked = 0

  const busy = ref(false)
  const streaming = computed(() => messages.value.some(({ state }) => state === 'streaming'))

  function leave() {
    current?.abort.abort()
    current = undefined
    busy.value = loading.value = false
    asked++
    messages.value = []
    loadFailure.value = undefined
    olderCursor.value = null
  }

  /** Begins a new conversation; it exists once something is said. */
  function begin() {
    leave()
    conversationId.value = newId()
  }

  async function open(id: string) {
    leave()
    conversationId.value = id
    await load()
  }

  async function load(cursor?: string) {
    const turn = ++asked
    loading.value = true
    loadFailure.value = undefined
    try {
      const path = conversationPath(conversationId.value)
      const { messages: told, nextCursor } = await api.get<Conversation>(path, { cursor })
      if (turn !== asked) return
      const earlier = told.map(({ role, text }) => ({
        id: newId(),
        role,
        text,
        state: 'done' as const,
      }))
      messages.value = [...earlier, ...messages.value]
      olderCursor.value = nextCursor
    } catch (error) {
      if (turn === asked) loadFailure.value = ApiFailure.from(error)
    } finally {
      if (turn === asked) loading.value = false
    }
    if (!cursor) void next()
  }

  const loadOlder = () => load(olderCursor.value ?? undefined)

  function send(text: string) {
    const said = text.trim()
    if (!said) return
    messages.value.push({ id: newId(), role: 'user', text: said, state: 'waiting' })
    void next()
  }

  /** Takes a message back that has not gone yet. */
  function withdraw(message: ChatMessage) {
    messages.value = messages.value.filter(
      ({ id, state }) => id !== message.id || state !== 'waiting'
    )
  }

  /**
   * Sends a question again whose answer failed or was stopped; the failed answer goes. An agent in trouble
   * is started at once: a person asks, so it does not wait for the time when it would try by itself.
   */
  async function retry(answer: ChatMessage) {
    /** Why it does not start, the answer to the question tells. */
    if (answer.failure?.code.startsWith('E_AGENT_')) await agent.act('start').catch(() => {})
    const index = messages.value.findIndex(({ id }) => id === answer.id)
    const question = messages.value[index - 1]
    if (!question || question.role !== 'user') return
    messages.value.splice(index - 1, 2)
    const behind = messages.value.findIndex(({ state }) => state === 'waiting')
    const again: ChatMessage = { ...question, id: newId(), state: 'waiting' }
    messages.value.splice(behind === -1 ? messages.value.length : behind, 0, again)
    void next()
  }

  function stop() {
    current?.abort.abort()
  }

  /** A question waits for what was said before: asked meanwhile, it would be told among that as well. */
  const opening = () => loading.value && olderCursor.value === null

  async function next(): Promise<void> {
    if (busy.value || opening()) return
    const index = messages.value.findIndex(({ state }) => state === 'waiting')
    if (index === -1) return
    busy.value = true
    const question = messages.value[index]
    question.state = 'sent'
    const answer = reactive<ChatMessage>({
      id: newId(),
      role: 'assistant',
      text: '',
      state: 'streaming',
    })
    messages.value.splice(index + 1, 0, answer)

    const turn = { abort: new AbortController(), conversation: conversationId.value }
    current = turn
    await exchange(question, answer, turn.abort.signal)
    if (current !== turn) return
    current = undefined
    busy.value = false
    onAnswered()
    /** A failed answer holds up what waits behind it, unless its question was asked again meanwhile. */
    const holdsUp = messages.value.some(({ id, state }) => id === answer.id && state === 'failed')
    if (!holdsUp) return next()
  }

  async function exchange(question: ChatMessage, answer: ChatMessage, signal: AbortSignal) {
    const body = { conversationId: conversationId.value, message: question.text }
    try {
      for await (const { event, data } of postForEvents('/chat', body, signal)) {
        if (event === 'progress') agent.takeProgress(data)
        else if (event === 'delta') answer.text += data.text
        else if (event === 'done') answer.state = 'done'
        else if (event === 'error') fail(answer, data)
      }
      if (answer.state === 'streaming') {
        fail(answer, { code: 'E_CUT', message: t('chat.cut'), hint: t('chat.cutHint') })
      }
    } catch (error) {
      /** What becomes of the stream after its last event is nothing to an answer that is complete. */
      if (answer.state !== 'streaming') return
      if (signal.aborted) answer.state = 'stopped'
      else fail(answer, toFailure(ApiFailure.from(error)))
    } finally {
      question.state = 'done'
    }
  }

  function fail(answer: ChatMessage, failure: ChatFailure) {
    answer.state = 'failed'
    answer.failure = failure
  }

  onScopeDispose(leave)

  return {
    conversationId,
    messages,
    busy,
    streaming,
    loading,
    loadFailure,
    olderCursor,
    begin,
    open,
    load: () => load(),
    loadOlder,
    send,
    withdraw,
    retry,
    stop,
  }
}
