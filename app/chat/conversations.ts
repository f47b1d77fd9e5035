import type { AgentKey, GatewayAccess } from '#agents/types'
import type { GatewayClient } from '#openclaw/gateway_client'
import type { GatewayMessage } from '#openclaw/gateway_messages'
import type { PatchSession } from '#openclaw/session_patch'
import { folded } from '#models/folded'
import { shortened } from '#text/cut'
import { E_GATEWAY_FAILED } from '#openclaw/errors'
import {
  E_CHAT_UNKNOWN_MODEL,
  E_CONVERSATION_NOT_FOUND,
  E_CONVERSATION_TITLE_TAKEN,
} from '#chat/errors'
import type { KeptLists } from '#chat/kept_lists'
import type { ModelCatalogue } from '#chat/model_catalogue'
import { ownModelName } from '#chat/own_model_name'
import { readMessage, type ReadMessage } from '#chat/read_messages'
import { markdownOf } from '#chat/conversation_export'
import type { ActivityCounter, Waker } from '#chat/relay'
import { conversationOf, sessionKeyOf, type Surface } from '#chat/session_key'

/** Characters of a first message that make a title. */
const TITLE_LENGTH = 60

/** Titles that one reading of the list finds out; the agent answers one question after the other. */
const TITLES_AT_ONCE = 8

/** Parts of a conversation that an export reads: ten thousand messages. */
const MOST_PARTS = 50

/** A conversation in the list. */
export interface Conversation {
  id: string
  /** Where it began: on the page, or with a client that named it. */
  surface: Surface
  title: string | null
  pinned: boolean
  /** The beginning of what was said last. */
  preview: string | null
  updatedAt: Date
  /** The model that was chosen for it alone, as `<provider>/<model>`. */
  model?: string | null
}

/** What is done beside asking the agent. */
export interface ConversationsParts {
  /** Keeps the list for while the agent sleeps. */
  lists?: Pick<KeptLists, 'keep' | 'read'>
  /** Knows the models of an agent's owner. */
  models?: Pick<ModelCatalogue, 'reference'>
}

/** A part of a conversation, oldest message first. */
export interface ReadConversation {
  id: string
  surface: Surface
  title: string | null
  messages: ReadMessage[]
  /** Gives the messages before these, or null at the beginning. */
  nextCursor: string | null
}

type Gateway = Pick<GatewayClient, 'sessions' | 'history' | 'deleteSession'>

/**
 * The conversations of an agent, as the agent itself remembers them: it is woken to be asked, and
 * Mosaic keeps nothing of them. What is not in the caller's own agent does not exist.
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
   * The pinned and then the latest first. With `search`, those that have it in their title or their last
   * message, whatever the case and the accents.
   *
   * @throws AgentUnavailable, E_GATEWAY_FAILED
   */
  async list(agent: AgentKey, search = ''): Promise<Conversation[]> {
    return this.#found(await this.#all(agent), search)
  }

  /**
   * The same without a wake: as the agent told it last where it sleeps, and when that was.
   *
   * @throws E_GATEWAY_FAILED
   */
  async lastList(agent: AgentKey, search = ''): Promise<{ data: Conversation[]; asOf?: Date }> {
    if (this.waker.peek(agent)) return { data: await this.list(agent, search) }
    const kept = await this.parts.lists?.read(agent)
    if (!kept) return { data: [], asOf: new Date(0) }
    return { data: this.#found(kept.conversations, search), asOf: kept.asOf }
  }

  #found(all: Conversation[], search: string): Conversation[] {
    const term = folded(search.trim())
    return all
      .filter(({ title, preview }) => folded(`${title ?? ''}\n${preview ?? ''}`).includes(term))
      .toSorted((a, b) => Number(b.pinned) - Number(a.pinned))
  }

  /**
   * Gives a conversation another title or a model of its own, or pins it. Null is the agent's own model.
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

    return this.#ask(agent, async (access) => {
      /** One that has not begun takes a model, and begins with it. */
      if (!model) await this.#demand(access, key)
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
        title: title ?? session?.title ?? null,
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
   * The whole conversation as a Markdown document.
   *
   * @throws E_CONVERSATION_NOT_FOUND, AgentUnavailable, E_GATEWAY_FAILED
   */
  async markdown(agent: AgentKey, id: string): Promise<string> {
    let part = await this.read(agent, id)
    const { title } = part
    const messages = [...part.messages]
    for (let parts = 1; part.nextCursor !== null && parts < MOST_PARTS; parts++) {
      part = await this.read(agent, id, part.nextCursor)
      messages.unshift(...part.messages)
    }
    return markdownOf(title, messages)
  }

  #all(agent: AgentKey): Promise<Conversation[]> {
    return this.#ask(agent, async (access) => {
      const sessions = await this.gateway.sessions(access.url, access.token)
      const conversations = sessions.flatMap(({ key, model, ...session }) => {
        const conversation = conversationOf(key)
        if (!conversation) return []
        return [{ ...conversation, ...session, ...(model && { model: ownModelName(model) }) }]
      })
      const untitled = conversations.filter(({ title }) => title === null)
      await Promise.all(
        untitled
          .slice(0, TITLES_AT_ONCE)
          .map((conversation) => this.#giveTitle(access, conversation))
      )
      /** A list that cannot be kept is told all the same. */
      await this.parts.lists?.keep(agent, conversations).catch(() => {})
      return conversations
    })
  }

  /** @throws E_CONVERSATION_NOT_FOUND, AgentUnavailable, E_GATEWAY_FAILED */
  read(agent: AgentKey, id: string, cursor?: string): Promise<ReadConversation> {
    const key = sessionKeyOf(id)
    const named = conversationOf(key)
    if (!named) throw new E_CONVERSATION_NOT_FOUND()

    return this.#ask(agent, async ({ url, token }) => {
      const history = await this.gateway.history(url, token, key, { cursor })
      if (!history) throw new E_CONVERSATION_NOT_FOUND()
      const whole = cursor === undefined && history.nextCursor === null
      const title = whole
        ? titleOf(history.messages)
        : ((await this.gateway.sessions(url, token)).find((session) => session.key === key)
            ?.title ?? null)
      const messages = history.messages.map((message) => readMessage(id, message))
      return { ...named, title, messages, nextCursor: history.nextCursor }
    })
  }

  /** @throws E_CONVERSATION_NOT_FOUND, AgentUnavailable, E_GATEWAY_FAILED */
  delete(agent: AgentKey, id: string): Promise<void> {
    const key = sessionKeyOf(id)
    return this.#ask(agent, async (access) => {
      await this.#demand(access, key)
      await this.gateway.deleteSession(access.url, access.token, key)
    })
  }

  async #demand({ url, token }: GatewayAccess, key: string): Promise<void> {
    const known = await this.gateway.history(url, token, key, { limit: 1 })
    if (!known) throw new E_CONVERSATION_NOT_FOUND()
  }

  /**
   * OpenClaw derives no title from what was said first. So it is read once and given to the agent to keep;
   * where the agent does not take it, because another conversation began alike, it is read again next time.
   */
  async #giveTitle(access: GatewayAccess, conversation: Conversation): Promise<void> {
    const key = sessionKeyOf(conversation.id)
    const history = await this.gateway.history(access.url, access.token, key)
    if (!history || history.nextCursor !== null) return
    conversation.title = titleOf(history.messages)
    const { title } = conversation
    if (title) await this.patch(access, key, { label: title }).catch(() => {})
  }

  /** Asks the agent, and once more where the address that was remembered no longer answers. */
  async #ask<Answer>(
    agent: AgentKey,
    question: (gateway: GatewayAccess) => Promise<Answer>
  ): Promise<Answer> {
    const endActivity = this.activity.begin(agent)
    try {
      const remembered = this.waker.peek(agent)
      if (!remembered) return await question(await this.waker.ensureRunning(agent))
      return await question(remembered).catch(async (error: unknown) => {
        if (!(error instanceof E_GATEWAY_FAILED)) throw error
        this.waker.invalidate(agent)
        return question(await this.waker.ensureRunning(agent))
      })
    } finally {
      endActivity()
    }
  }
}

/** The beginning of what the owner said first. */
function titleOf(messages: GatewayMessage[]): string | null {
  const first = messages.find(({ role }) => role === 'user')
  if (!first) return null
  const line = first.text.replace(/\s+/g, ' ').trim()
  return shortened(line, TITLE_LENGTH)
}
