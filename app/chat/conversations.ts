import type { AgentKey, GatewayAccess } from '#agents/types'
import type { GatewayClient, GatewayHistory } from '#openclaw/gateway_client'
import type { PatchSession } from '#openclaw/session_patch'
import { E_GATEWAY_FAILED } from '#openclaw/errors'
import {
  E_CHAT_UNKNOWN_MODEL,
  E_CONVERSATION_NOT_FOUND,
  E_CONVERSATION_TITLE_TAKEN,
} from '#chat/errors'
import { askAgent } from '#chat/ask_agent'
import type { KeptLists } from '#chat/kept_lists'
import type { ModelCatalogue } from '#chat/model_catalogue'
import { conversationsIn, type Conversation } from '#chat/listed_conversations'
import { ownModelName } from '#chat/own_model_name'
import { readMessages, type ReadMessage } from '#chat/read_messages'
import { markdownFrom } from '#chat/conversation_export'
import { withText } from '#chat/conversation_search'
import type { ActivityCounter, Waker } from '#chat/relay'
import { conversationOf, sessionKeyOf, type Surface } from '#chat/session_key'
import { shownTitle, titleOf, uniqueTitle } from '#chat/titles'
import { systemClock, type Clock } from '#timing/clock'

/** Titles derived per list request; the agent answers these reads one at a time. */
const TITLES_AT_ONCE = 8

/** Milliseconds after which an export asks for no further page. */
const EXPORT_MS = 60_000

/** Optional collaborators. */
export interface ConversationsParts {
  /** Keeps the list for when the agent is asleep. */
  lists?: Pick<KeptLists, 'keep' | 'read'>
  /** Knows the models of the agent's owner. */
  models?: Pick<ModelCatalogue, 'reference'>
  /** Limits the time of an export. */
  clock?: Pick<Clock, 'elapsed'>
}

/** One page of a conversation, oldest message first. */
export interface ReadConversation {
  id: string
  surface: Surface
  title: string | null
  messages: ReadMessage[]
  /** As in the list; null for the agent's own, undefined if that is not known now. */
  model?: string | null
  /** Returns the preceding messages, or null at the beginning. */
  nextCursor: string | null
}

type Gateway = Pick<GatewayClient, 'sessions' | 'history' | 'deleteSession'>
type Page = { limit?: number; cursor?: string }

/**
 * The conversations of an agent, read from the agent itself, which is woken for it. Mosaic stores no
 * messages. A conversation that is not in the caller's own agent does not exist.
 */
export class Conversations {
  constructor(
    protected waker: Waker,
    protected activity: ActivityCounter,
    protected gateway: Gateway,
    protected patch: PatchSession,
    protected parts: ConversationsParts = {}
  ) {}

  /**
   * Returns pinned conversations first, then the latest. `search` filters by title and last message, ignoring
   * case and accents.
   *
   * @throws AgentUnavailable, E_GATEWAY_FAILED
   */
  async list(agent: AgentKey, search = ''): Promise<Conversation[]> {
    return this.#found(await this.#all(agent), search)
  }

  /**
   * Like `list`, but never wakes the agent: if it is asleep, returns the last known list and its date.
   *
   * @throws E_GATEWAY_FAILED
   */
  async lastList(agent: AgentKey, search = ''): Promise<{ data: Conversation[]; asOf?: Date }> {
    const present = await this.#presentList(agent)
    if (present) return { data: await this.#found(present, search) }
    const kept = await this.parts.lists?.read(agent)
    if (!kept) return { data: [], asOf: new Date(0) }
    return { data: await this.#found(kept.conversations, search), asOf: kept.asOf }
  }

  async #found(all: Conversation[], search: string): Promise<Conversation[]> {
    const found = await withText(all, search)
    return found.toSorted((a, b) => Number(b.pinned) - Number(a.pinned))
  }

  /**
   * Renames or pins a conversation, or sets its own model; null resets it to the agent's model.
   *
   * @throws E_CONVERSATION_NOT_FOUND, E_CONVERSATION_TITLE_TAKEN, AgentUnavailable, E_GATEWAY_FAILED
   */
  async change(
    agent: AgentKey,
    id: string,
    change: { title?: string; pinned?: boolean; model?: string | null }
  ): Promise<Conversation> {
    const { title, pinned } = change
    const key = sessionKeyOf(id)
    const named = conversationOf(key)
    if (!named) throw new E_CONVERSATION_NOT_FOUND()
    const model = await this.#reference(agent, change.model)
    if (!model && (await this.waker.isNew(agent))) throw new E_CONVERSATION_NOT_FOUND()

    return this.#ask(agent, async (access) => {
      /** Setting a model creates a conversation that has not begun. */
      if (!model) await this.#history(access, key, { limit: 1 })
      const sessions = await this.gateway.sessions(access.url, access.token)
      const session = sessions.find((one) => one.key === key)
      if (!session && !model) throw new E_CONVERSATION_NOT_FOUND()
      const isTaken = sessions.some((one) => one.key !== key && one.title === title)
      if (title !== undefined && isTaken) throw new E_CONVERSATION_TITLE_TAKEN()

      await this.patch(access, key, {
        ...(title !== undefined && { label: title }),
        ...(pinned !== undefined && { pinned }),
        ...(model !== undefined && { model }),
      })
      const chosen = model === undefined ? session?.model : model
      return {
        ...named,
        title: title ?? shownTitle(session?.title ?? null),
        pinned: pinned ?? session?.pinned ?? false,
        preview: session?.preview ?? null,
        updatedAt: session?.updatedAt ?? new Date(),
        ...(chosen && { model: ownModelName(chosen) }),
      }
    })
  }

  /** @throws E_CHAT_UNKNOWN_MODEL */
  async #reference(agent: AgentKey, name: string | null | undefined) {
    if (!name) return name
    if (!this.parts.models) throw new E_CHAT_UNKNOWN_MODEL()
    return this.parts.models.reference(agent, name)
  }

  /**
   * Returns the whole conversation as a Markdown document, or says in it that earlier messages are left out.
   *
   * @throws E_CONVERSATION_NOT_FOUND, AgentUnavailable, E_GATEWAY_FAILED
   */
  async markdown(agent: AgentKey, id: string): Promise<string> {
    const clock = this.parts.clock ?? systemClock
    const deadline = clock.elapsed() + EXPORT_MS
    return markdownFrom(await this.read(agent, id), {
      isLate: () => clock.elapsed() > deadline,
      read: (cursor) =>
        this.#ask(agent, async (access) => {
          const history = await this.#history(access, sessionKeyOf(id), { cursor })
          return { messages: readMessages(id, history.messages), nextCursor: history.nextCursor }
        }),
    })
  }

  /** Returns null if the agent is asleep. A cached address that does not respond is looked up once more. */
  async #presentList(agent: AgentKey): Promise<Conversation[] | null> {
    const access = await this.waker.running(agent)
    if (!access) return null
    const endActivity = this.activity.begin(agent)
    try {
      return await this.#listed(agent, access).catch(async (error: unknown) => {
        if (!(error instanceof E_GATEWAY_FAILED)) throw error
        this.waker.invalidate(agent)
        const renewed = await this.waker.running(agent)
        return renewed && this.#listed(agent, renewed)
      })
    } finally {
      endActivity()
    }
  }

  async #all(agent: AgentKey): Promise<Conversation[]> {
    if (await this.waker.isNew(agent)) return []
    return this.#ask(agent, (access) => this.#listed(agent, access))
  }

  async #listed(agent: AgentKey, access: GatewayAccess): Promise<Conversation[]> {
    const sessions = await this.gateway.sessions(access.url, access.token)
    const conversations = conversationsIn(sessions)
    const untitled = conversations.filter(({ title }) => title === null)
    const taken = new Set(sessions.map(({ title }) => title))
    await Promise.all(
      untitled
        .slice(0, TITLES_AT_ONCE)
        .map((conversation) => this.#giveTitle(access, conversation, taken))
    )
    /** Return the list even if it cannot be stored. */
    await this.parts.lists?.keep(agent, conversations).catch(() => {})
    return conversations
  }

  /** @throws E_CONVERSATION_NOT_FOUND, AgentUnavailable, E_GATEWAY_FAILED */
  async read(agent: AgentKey, id: string, cursor?: string): Promise<ReadConversation> {
    const key = sessionKeyOf(id)
    const named = conversationOf(key)
    if (!named || (await this.waker.isNew(agent))) throw new E_CONVERSATION_NOT_FOUND()

    return this.#ask(agent, async (access) => {
      const [history, session] = await Promise.all([
        this.#history(access, key, { cursor }),
        /** Only the messages are required; title and model may stay unknown. */
        this.#session(access, key).catch(() => undefined),
      ])
      const whole = cursor === undefined && history.nextCursor === null
      const title = whole ? titleOf(history.messages) : shownTitle(session?.title ?? null)
      const messages = readMessages(id, history.messages)
      const model = session && (session.model ? ownModelName(session.model) : null)
      return { ...named, title, messages, model, nextCursor: history.nextCursor }
    })
  }

  /** @throws E_CONVERSATION_NOT_FOUND, AgentUnavailable, E_GATEWAY_FAILED */
  async delete(agent: AgentKey, id: string): Promise<void> {
    const key = sessionKeyOf(id)
    if (await this.waker.isNew(agent)) throw new E_CONVERSATION_NOT_FOUND()
    return this.#ask(agent, async (access) => {
      await this.#history(access, key, { limit: 1 })
      await this.gateway.deleteSession(access.url, access.token, key)
    })
  }

  /**
   * OpenClaw also answers "not found" for a session that changed during the read, or if its own look-ups fail on a busy
   * machine. The answer therefore counts only if the list of sessions lacks the session too.
   *
   * @throws E_CONVERSATION_NOT_FOUND, E_GATEWAY_FAILED
   */
  async #history({ url, token }: GatewayAccess, key: string, page: Page): Promise<GatewayHistory> {
    const history = await this.gateway.history(url, token, key, page)
    if (history) return history
    if (!(await this.#session({ url, token }, key))) throw new E_CONVERSATION_NOT_FOUND()
    const again = await this.gateway.history(url, token, key, page)
    if (!again) throw new E_GATEWAY_FAILED()
    return again
  }

  /**
   * OpenClaw derives no titles from first messages, so Mosaic reads the message once and stores the title
   * with the agent, which rejects the title of another session. If it still does, or if the message cannot be read, it
   * is tried again next time.
   *
   * @param taken the titles of all sessions; gets the new one
   */
  async #giveTitle(
    access: GatewayAccess,
    conversation: Conversation,
    taken: Set<string | null>
  ): Promise<void> {
    const key = sessionKeyOf(conversation.id)
    const history = await this.gateway
      .history(access.url, access.token, key)
      .catch((error: unknown) => {
        if (error instanceof E_GATEWAY_FAILED) return null
        throw error
      })
    if (!history || history.nextCursor !== null) return
    conversation.title = titleOf(history.messages)
    if (!conversation.title) return
    const label = uniqueTitle(conversation.title, taken)
    taken.add(label)
    await this.patch(access, key, { label }).catch(() => {})
  }

  #session({ url, token }: GatewayAccess, key: string) {
    return this.gateway.sessions(url, token).then((all) => all.find((one) => one.key === key))
  }

  /** Asks the agent; reads count as use. */
  async #ask<Answer>(
    agent: AgentKey,
    question: (gateway: GatewayAccess) => Promise<Answer>
  ): Promise<Answer> {
    const endActivity = this.activity.begin(agent)
    return askAgent(this.waker, agent, question).finally(endActivity)
  }
}
