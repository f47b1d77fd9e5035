import { reactive, ref, shallowRef, type Ref } from 'vue'
import { api, ApiFailure } from '~/api/client'
import { conversationPath } from '~/api/conversations'
import type { Conversation } from '~/api/shapes'
import { isAway, withOwn, type Exchange } from '~/composables/answer_search'
import { fromHistory, keepFiles, type ChatMessage } from '~/composables/chat_messages'
import { useNotices } from '~/composables/use_notices'

/** Reads a conversation from the agent into `messages`, and keeps what this page alone has. */
export function useChatHistory(conversationId: Ref<string>, messages: Ref<ChatMessage[]>) {
  const notices = useNotices()
  const loading = ref(false)
  const loadFailure = shallowRef<ApiFailure>()
  const olderCursor = ref<string | null>(null)
  const loadingOlder = ref(false)
  /** The model chosen for this conversation only. */
  const model = ref<string | null>()
  /** Number of the latest request; responses to older ones are dropped. */
  let asked = 0
  /** Number of answers that have ended here. */
  let ends = 0
  /** Number of the latest visit of a conversation. */
  let visits = 0
  const path = () => conversationPath(conversationId.value)

  /** The conversation is left: drops what is under way. */
  function leave() {
    asked++
    visits++
    loading.value = loadingOlder.value = false
    model.value = undefined
    loadFailure.value = undefined
    olderCursor.value = null
  }

  /** An answer has ended: a history that was asked for before may lack it. */
  const outdate = () => void ends++

  /** Reads a conversation that opens, unless a later request takes the place of this one. */
  async function load(): Promise<void> {
    const turn = ++asked
    loading.value = true
    loadFailure.value = undefined
    const told = await api.get<Conversation>(path()).catch((error) => ApiFailure.from(error))
    if (turn !== asked) return
    loading.value = false
    if (told instanceof ApiFailure) loadFailure.value = told
    else replaceWith(told)
  }

  /** Replaces the messages with the agent's history and what it lacks, without `over`. Returns the history. */
  function replaceWith(told: Conversation, over?: Exchange): ChatMessage[] {
    const history = told.messages.map((message) => reactive(fromHistory(message)))
    const own = messages.value.filter(
      ({ id }) => id !== over?.question.id && id !== over?.answer.id
    )
    keepFiles(messages.value, history)
    messages.value = withOwn(history, told.nextCursor === null, own)
    olderCursor.value = told.nextCursor
    model.value = told.model
    loadFailure.value = undefined
    return history
  }

  /**
   * Reads the history again, and returns it. Returns false if there is none, and undefined if it cannot be read right now.
   *
   * @param over an exchange that the history replaces
   */
  async function reload(over?: Exchange): Promise<ChatMessage[] | false | undefined> {
    const turn = ++asked
    const known = ends
    const told = await api.get<Conversation>(path()).catch((error) => ApiFailure.from(error))
    if (turn !== asked) return false
    if (known !== ends) return reload(over)
    /** It has taken the place of the first request, and tells in place of that how it went. */
    const isFirst = loading.value
    loading.value = false
    if (isFirst && told instanceof ApiFailure) loadFailure.value = told
    if (told instanceof ApiFailure) return isAway(told.status) ? undefined : false
    return replaceWith(told, over)
  }

  /** Adds the messages before the first one, and returns whether it did. Asks again if that is another one by then. */
  async function loadOlder(): Promise<boolean> {
    const visit = visits
    const cursor = olderCursor.value
    loadingOlder.value = cursor !== null
    if (cursor === null) return false
    const told = await api
      .get<Conversation>(path(), { cursor })
      .catch((error) => ApiFailure.from(error))
    if (visit !== visits) return false
    if (cursor !== olderCursor.value) return loadOlder()
    loadingOlder.value = false
    if (told instanceof ApiFailure) {
      notices.failed(told.message, told.hint)
      return false
    }
    messages.value = [...told.messages.map(fromHistory), ...messages.value]
    olderCursor.value = told.nextCursor
    return true
  }

  return {
    loading,
    loadFailure,
    olderCursor,
    loadingOlder,
    model,
    leave,
    load,
    reload,
    outdate,
    loadOlder,
  }
}
