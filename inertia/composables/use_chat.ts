import { computed, onScopeDispose, reactive, ref } from 'vue'
import {
  api,
  ApiFailure,
  getEvents,
  postForEvents,
  serverNow,
  type ServerEvent,
} from '~/api/client'
import { conversationPath } from '~/api/conversations'
import {
  COME_BACK_MS,
  indexOfQuestion,
  isAway,
  isUnanswered,
  LOOK_MS,
  pause,
  place,
  restarted,
  type Exchange,
} from '~/composables/answer_search'
import { cut, filesGone, notDelivered, notStopped, toFailure } from '~/composables/chat_failures'
import {
  newAnswer,
  newId,
  takeEvent,
  type ChatApproval,
  type ChatFailure,
  type ChatMessage,
} from '~/composables/chat_messages'
import { useAgent } from '~/composables/use_agent'
import { filesOf, release, toSentFile, type PickedFile } from '~/composables/use_attachments'
import { useChatHistory } from '~/composables/use_chat_history'
import { useChatTabs } from '~/composables/use_chat_tabs'
import { useNotices } from '~/composables/use_notices'

export type { ChatFailure, ChatMessage } from '~/composables/chat_messages'

/** How long a cancellation may hold up the next message, which it would cancel if it came later. */
const CANCEL_MS = 15_000

/** An answer in progress. */
interface Turn {
  abort: AbortController
  conversation: string
}

/** Conversation with the user's agent: past messages, queued ones, and the answer being streamed. */
export function useChat(onAnswered: () => void) {
  const agent = useAgent()
  const notices = useNotices()
  const conversationId = ref(newId())
  const messages = ref<ChatMessage[]>([])
  const history = useChatHistory(conversationId, messages)
  const { loading, loadFailure, olderCursor, reload, loadOlder } = history
  let current: Turn | undefined
  /** The last cancellation of an answer. */
  let ending: Promise<unknown> = Promise.resolve()
  /**
   * The latest opening of a conversation, while it lasts. A question waits for the history, which would contain it too,
   * and for an answer under way, which it would hide.
   */
  let opening: symbol | undefined
  /** Aborted when the user leaves the conversation. */
  let visit = new AbortController()

  const busy = ref(false)
  /** Questions that only this page has. */
  const undelivered = computed(() =>
    messages.value.filter(
      (one, index) => one.undelivered && messages.value[index + 1]?.state === 'failed'
    )
  )
  const streaming = computed(() => messages.value.some(({ state }) => state === 'streaming'))
  const runPath = () => `${conversationPath(conversationId.value)}/run`

  const tabs = useChatTabs((conversation, state) => {
    if (conversation !== conversationId.value || current || loading.value) return
    if (state === 'begun') void resume()
    else void reload()
  })

  function leave() {
    /** Leaving the conversation cancels its answer. A page reload does not run this. */
    if (current) void end(current)
    current = undefined
    visit.abort()
    visit = new AbortController()
    busy.value = false
    opening = undefined
    history.leave()
    for (const { files } of messages.value) release(files)
    messages.value = []
  }

  /** The answer would continue without a reader, so cancel it on the server too. Returns whether that was heard. */
  function end(turn: Turn): Promise<boolean> {
    turn.abort.abort()
    const cancelled = api.delete(`${conversationPath(turn.conversation)}/run`).then(
      () => true,
      () => false
    )
    ending = Promise.race([cancelled, pause(CANCEL_MS)])
    return cancelled
  }

  /** Starts a new conversation; it exists from its first message on. */
  function begin() {
    leave()
    conversationId.value = newId()
  }

  async function open(id: string) {
    leave()
    conversationId.value = id
    await load()
  }

  async function load() {
    if (busy.value) return
    const mine = (opening = Symbol('opening'))
    await history.load()
    if (opening !== mine) return
    await resume(loadFailure.value ? [0] : LOOK_MS)
    /** Found, left, or asked for again meanwhile. */
    if (opening !== mine) return
    opening = undefined
    void next()
  }

  function send(text: string, files: PickedFile[] = []) {
    const said = text.trim()
    if (!said && files.length === 0) return
    const attachments = files.map(({ file, preview }) => ({
      name: file.name,
      type: file.type,
      ...(preview && { url: preview }),
    }))
    messages.value.push({
      id: newId(),
      role: 'user',
      text: said,
      state: 'waiting',
      ...(files.length > 0 && { files, attachments }),
    })
    void next()
  }

  /**
   * Takes back a queued message, one whose agent still wakes, or one that failed before. No-op for a message that the
   * agent has.
   */
  function withdraw(message: ChatMessage) {
    const index = messages.value.findIndex(({ id }) => id === message.id)
    const isSent = message.state === 'sent'
    const isUndelivered = undelivered.value.some(({ id }) => id === message.id)
    if (index === -1 || !(isSent || isUndelivered || message.state === 'waiting')) return
    if (isSent) void stop()
    /** With the answer that it waits for, or that failed. */
    const [{ files }] = messages.value.splice(index, message.state === 'waiting' ? 1 : 2)
    release(files)
  }

  /**
   * Resends the question of a failed or stopped answer, with its files, and removes that answer. Starts a failed
   * agent at once, because the user need not wait for its automatic retry.
   */
  async function retry(answer: ChatMessage) {
    /** If the start fails, the answer reports why. */
    if (answer.failure?.code.startsWith('E_AGENT_')) await agent.act('start').catch(() => {})
    const indexOfAnswer = () => messages.value.findIndex(({ id }) => id === answer.id)
    /** The history has a message for each of the texts of an answer, and older questions on earlier pages. */
    const indexBefore = () =>
      messages.value.slice(0, indexOfAnswer()).findLastIndex(({ role }) => role === 'user')
    while (indexBefore() === -1 && olderCursor.value !== null) {
      if (!(await loadOlder())) return
    }
    const question = messages.value[indexBefore()]
    if (!question) return
    const files = await filesOf(question).catch((error) => ApiFailure.from(error))
    /** The user may have left, or clicked twice. */
    const index = indexOfAnswer()
    if (index === -1) return
    if (files === null) return fail(answer, filesGone())
    if (files instanceof ApiFailure) return fail(answer, toFailure(files))
    const first = messages.value.findIndex(({ id }) => id === question.id)
    messages.value.splice(first, index - first + 1)
    append({
      ...{ ...question, id: newId(), state: 'waiting', undelivered: false },
      ...(files.length > 0 && { files }),
    })
    void next()
  }

  /** Cancels the answer. If that is not heard, the answer goes on: the page says so and follows it again. */
  async function stop() {
    /** A second cancellation could arrive after the next message. */
    if (!current || current.abort.signal.aborted) return
    const left = visit.signal
    const index = messages.value.findLastIndex(({ state }) => state === 'streaming')
    const [question, answer] = messages.value.slice(Math.max(index - 1, 0), index + 1)
    if ((await end(current)) || left.aborted) return
    const { message, hint } = notStopped()
    notices.failed(message, hint)
    if (answer?.state === 'stopped') fail(answer, notStopped())
    if ((await resume()) !== false) return
    const isShown = messages.value.some(({ id }) => id === answer?.id)
    await (isShown ? ended({ question, answer, since: question.sentAt }) : reload())
  }

  async function decide(approval: ChatApproval, decision: string) {
    const path = `${conversationPath(conversationId.value)}/approvals/${encodeURIComponent(approval.id)}`
    await api.post(path, { decision })
    approval.state = decision === 'deny' ? 'denied' : 'allowed'
  }

  async function next(): Promise<void> {
    if (busy.value || opening !== undefined) return
    const index = messages.value.findIndex(({ state }) => state === 'waiting')
    if (index === -1) return
    const question = messages.value[index]
    question.state = 'sent'
    const answer = reactive<ChatMessage>(newAnswer())
    messages.value.splice(index + 1, 0, answer)
    const isHere = await answering((signal) => exchange({ question, answer }, signal))
    if (!isHere) return
    /** A failed answer blocks the queue, unless its question was resent meanwhile. */
    const holdsUp = messages.value.some(({ id, state }) => id === answer.id && state === 'failed')
    if (!holdsUp) return next()
  }

  /** Keeps the conversation busy while an answer streams. Returns false if the user left it meanwhile. */
  async function answering(exchanged: (signal: AbortSignal) => Promise<void>): Promise<boolean> {
    busy.value = true
    opening = undefined
    const turn: Turn = { abort: new AbortController(), conversation: conversationId.value }
    current = turn
    await exchanged(turn.abort.signal)
    history.outdate()
    /** Where an agent answers, its history may be read by now. */
    if (current === turn && loadFailure.value) await reload()
    if (current !== turn) return false
    current = undefined
    busy.value = false
    onAnswered()
    return true
  }

  async function exchange(turn: Exchange, signal: AbortSignal) {
    const { question, answer } = turn
    const conversation = conversationId.value
    let opened = false
    /** The agent may have got the question, although nobody said so. */
    let isSent = false
    /** From here on, other tabs can follow the answer. */
    const onOpen = (headers: Headers) => {
      opened = true
      turn.since = Date.parse(headers.get('date') ?? '') || turn.since
      tabs.tell(conversation, 'begun')
    }
    question.sentAt = serverNow()
    try {
      const files = (question.files ?? []).map(({ file }) => toSentFile(file))
      const attachments = await Promise.all(files)
      /** The agent would end whatever runs by then. */
      await ending
      const body = {
        conversationId: conversation,
        message: question.text,
        background: true,
        ...(attachments.length > 0 && { attachments }),
      }
      turn.since = serverNow()
      isSent = navigator.onLine
      await take(answer, postForEvents('/chat', body, signal, onOpen))
    } catch (error) {
      const failure = ApiFailure.from(error)
      const goesOn = opened ? isAway(failure.status) : isSent && isUnanswered(failure)
      await broken(turn, failure, signal, goesOn)
    } finally {
      question.state = 'done'
      const isRefused = !opened || agent.mood.value === 'trouble'
      if (answer.state === 'failed' && isRefused) question.undelivered = true
      if (opened || answer.state === 'done') tabs.tell(conversation, 'ended')
    }
  }

  /** Applies the events of an answer until it ends. */
  async function take(answer: ChatMessage, events: AsyncIterable<ServerEvent>) {
    for await (const told of events) {
      if (told.event === 'progress') agent.takeProgress(told.data)
      else takeEvent(answer, told)
    }
    /** Mosaic stops: the agent goes on. */
    if (answer.state === 'streaming') throw new ApiFailure(0, [cut()])
  }

  /** Handles a broken stream, of an answer that may go on. No-op if it is already complete. */
  async function broken(turn: Exchange, failure: ApiFailure, signal: AbortSignal, goesOn: boolean) {
    const { answer } = turn
    if (answer.state !== 'streaming') return
    if (signal.aborted) {
      answer.state = 'stopped'
      return
    }
    if (goesOn) {
      answer.reconnecting = true
      const isBack = await comeBack(turn, signal)
      answer.reconnecting = false
      if (isBack) return
    }
    if (signal.aborted) answer.state = 'stopped'
    else if (answer.state === 'streaming') fail(answer, toFailure(failure))
  }

  /** The agent continues after a broken connection: resumes the answer, or finds how it ended. */
  async function comeBack(turn: Exchange, signal: AbortSignal): Promise<boolean> {
    const { answer } = turn
    for (const ms of COME_BACK_MS) {
      await pause(ms, signal)
      if (signal.aborted) return false
      try {
        await take(answer, restarted(answer, getEvents(runPath(), signal)))
        return true
      } catch (error) {
        if (signal.aborted) return false
        const { status } = ApiFailure.from(error)
        const isBack = status === 404 ? await ended(turn) : isAway(status) ? undefined : false
        if (isBack !== undefined) return isBack
      }
    }
    return false
  }

  /**
   * Takes a finished answer from the history. It lacks a question that the agent never got. Returns undefined if the
   * history cannot be read right now.
   */
  async function ended(turn: Exchange): Promise<boolean | undefined> {
    const { question, answer } = turn
    const told = await reload(turn)
    if (!told) return told
    const index = indexOfQuestion(told, turn)
    if (index === -1) {
      fail(answer, notDelivered())
      question.undelivered = true
      append(question, answer)
      return false
    }
    const last = told.slice(index + 1).at(-1)
    if (last?.role === 'assistant') {
      answer.state = last.state === 'stopped' ? 'stopped' : 'done'
      /** The break ended it: what had arrived stays, and a retry may help. */
      if (last.state === 'failed') Object.assign(last, { text: answer.text, failure: cut() })
      return true
    }
    append(answer)
    return false
  }

  /** Adds messages in front of the queued ones. */
  function append(...added: ChatMessage[]) {
    const index = messages.value.findIndex(({ state }) => state === 'waiting')
    messages.value.splice(index === -1 ? messages.value.length : index, 0, ...added)
  }

  /**
   * Follows an answer under way to its end, after a reload or when another page asked. Returns false if there is none,
   * and undefined if that cannot be known.
   *
   * @param delays before each attempt, while Mosaic or the agent is away
   */
  async function resume(delays: number[] = LOOK_MS): Promise<boolean | undefined> {
    const left = visit.signal
    for (const ms of delays) {
      await pause(ms, left)
      if (busy.value || left.aborted) return undefined
      const isFound = await follow(left)
      if (isFound !== undefined) return isFound
    }
    return undefined
  }

  async function follow(left: AbortSignal): Promise<boolean | undefined> {
    const answer = reactive<ChatMessage>(newAnswer())
    const abort = new AbortController()
    const signal = AbortSignal.any([abort.signal, left])
    const events = getEvents(runPath(), signal)[Symbol.asyncIterator]()
    const first = await events.next().catch((error) => ApiFailure.from(error))
    if (first instanceof ApiFailure) return isAway(first.status) ? undefined : false
    if (first.done || first.value.event !== 'question') return false
    if (busy.value || left.aborted) return void abort.abort()
    const placed = place(messages.value, first.value.data, answer)
    const { question } = placed
    messages.value = placed.messages
    const isHere = await answering(async (stopped) => {
      stopped.addEventListener('abort', () => abort.abort())
      try {
        await take(answer, { [Symbol.asyncIterator]: () => events })
      } catch (error) {
        const failure = ApiFailure.from(error)
        await broken({ question, answer }, failure, stopped, isAway(failure.status))
      }
    })
    if (isHere && answer.state !== 'failed') void next()
    return true
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
    undelivered,
    loading,
    loadFailure,
    olderCursor,
    model: history.model,
    loadingOlder: history.loadingOlder,
    begin,
    open,
    load,
    loadOlder,
    send,
    withdraw,
    retry,
    stop,
    decide,
  }
}
