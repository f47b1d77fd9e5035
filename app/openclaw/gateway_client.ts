import { requestGateway as request } from '#runtimes/gateway_connections'
import { readJson, readText } from '#bounded/body'
import { HeldBytes } from '#bounded/held_bytes'
import { E_GATEWAY_FAILED } from '#openclaw/errors'
import { listIn, objectIn, textIn } from '#openclaw/gateway_fields'
import { callGateway } from '#openclaw/gateway_socket'
import { listSessions } from '#openclaw/session_list'
import { PRIMER } from '#openclaw/primer_model'
import { storedKey, type GatewaySession } from '#openclaw/gateway_shapes'
import { storedMessage, toMessages, type GatewayMessage } from '#openclaw/gateway_messages'
import { withWholeTexts } from '#openclaw/whole_texts'

const MB = 1024 * 1024

/** Long enough for a gateway whose idle workers must restart, short enough for a person waiting. */
const TIMEOUT_MS = 15_000

/** A gateway that takes longer for a readiness probe is busy starting. */
const PROBE_TIMEOUT_MS = 2000

/** The message sent to the primer. Nobody reads it. */
const PRIMING = JSON.stringify({
  model: 'openclaw',
  stream: true,
  messages: [{ role: 'user', content: 'Hello.' }],
})

/** Limit of the primer session's messages: a longer session makes each prewarm slower. */
const PRIMER_MESSAGES = 50

/** Limit of turns per history request. */
const HISTORY_LIMIT = 200

/** Size limit: two hundred turns with their tool results; nobody reads a longer page. */
const HISTORY = {
  what: 'The conversation in the answer of the gateway',
  maxBytes: 16 * MB,
}

/** Rows of these turns, with all their tools. */
const MOST_ROWS = 20_000

/** Conversations being read, in bytes, by gateway: callers decide how many they read at once. */
const reading = new HeldBytes({ ofOne: HISTORY.maxBytes, ofAll: 4 * HISTORY.maxBytes })

/** Longer than any cursor. */
const CURSOR_LENGTH = 1000

/** Size limit: the primer only answers a few words. */
const PRIMED = { what: 'The answer of the gateway to the primer', maxBytes: MB }

/** One page of a conversation, oldest turn first. */
export interface GatewayHistory {
  messages: GatewayMessage[]
  /** Returns the preceding turns, or null at the beginning. */
  nextCursor: string | null
  /** Size of the gateway's answer. */
  bytes?: number
}

/**
 * Calls to a gateway other than chats. `url` and `token` come from `GatewayAccess`. Conversation keys have
 * the form that the chat endpoint expects in `x-openclaw-session-key`.
 */
export class GatewayClient {
  constructor(protected timeoutMs: number = TIMEOUT_MS) {}

  /**
   * Returns whether the gateway accepts traffic now. Starting, draining, refusing and silent gateways are not
   * ready. Costs the agent nothing and does not count as activity. Rejects only if `signal` aborts.
   */
  async probeReady(url: string, signal?: AbortSignal): Promise<boolean> {
    try {
      const response = await request(`${url}/startupz`, {
        signal: AbortSignal.any([
          AbortSignal.timeout(PROBE_TIMEOUT_MS),
          ...(signal ? [signal] : []),
        ]),
      })
      await response.body.dump()
      return response.statusCode === 200
    } catch {
      signal?.throwIfAborted()
      return false
    }
  }

  /**
   * Returns the agent's conversations, latest first.
   *
   * @throws E_GATEWAY_FAILED
   */
  async sessions(url: string, token: string): Promise<GatewaySession[]> {
    const sessions = await listSessions({ url, token, timeoutMs: this.timeoutMs })
    return sessions.toSorted((a, b) => b.updatedAt.getTime() - a.updatedAt.getTime())
  }

  /**
   * Returns a conversation's turns as a person saw them. Null if the conversation does not exist.
   *
   * @throws E_GATEWAY_FAILED
   */
  async history(
    url: string,
    token: string,
    key: string,
    options: { limit?: number; cursor?: string } = {}
  ): Promise<GatewayHistory | null> {
    const gateway = { url, token, timeoutMs: this.timeoutMs }
    const query = new URLSearchParams({ limit: String(options.limit ?? HISTORY_LIMIT) })
    if (options.cursor) query.set('cursor', options.cursor)
    const path = `/sessions/${encodeURIComponent(storedKey(key))}/history?${query}`
    let held = 0
    const hold = (bytes: number) => {
      if (!reading.take(url, bytes)) throw new Error('too much is read at once')
      held += bytes
    }
    try {
      const answer = await this.#read(`${url}${path}`, token, hold)
      if (!answer) return null
      const rows = listIn(answer.messages).slice(-MOST_ROWS).map(storedMessage)
      return {
        messages: toMessages(await withWholeTexts(gateway, key, rows)),
        nextCursor: answer.hasMore ? (textIn(answer.nextCursor, CURSOR_LENGTH) ?? null) : null,
        bytes: held,
      }
    } finally {
      reading.give(url, held)
    }
  }

  /**
   * Removes a conversation from the agent's list. OpenClaw keeps an archive of it in the state folder. A
   * no-op if the conversation does not exist.
   *
   * @throws E_GATEWAY_FAILED
   */
  async deleteSession(url: string, token: string, key: string): Promise<void> {
    const gateway = { url, token, timeoutMs: this.timeoutMs }
    await callGateway(gateway, 'sessions.delete', { key: storedKey(key) })
  }

  /**
   * Chats once with the primer in a separate session, so that the gateway has everything loaded for the next
   * chat. The session stays, because deleting one makes the gateway cold again (2.5 s to the next first token
   * instead of 0.5, with OpenClaw 2026.9.6); only a long one is deleted and restarted.
   *
   * @throws E_GATEWAY_FAILED, the signal's reason
   */
  async prewarm(url: string, token: string, signal: AbortSignal): Promise<void> {
    await this.#chatWithPrimer(url, token, signal)
    const ended = await this.#endLongPriming(url, token).catch(() => false)
    if (ended) await this.#chatWithPrimer(url, token, signal)
  }

  async #endLongPriming(url: string, token: string): Promise<boolean> {
    const key = PRIMER.sessionKey
    const history = await this.history(url, token, key, { limit: PRIMER_MESSAGES })
    if (!history?.nextCursor) return false
    await this.deleteSession(url, token, key)
    return true
  }

  async #chatWithPrimer(url: string, token: string, signal: AbortSignal): Promise<void> {
    try {
      const response = await request(`${url}/v1/chat/completions`, {
        method: 'POST',
        headers: {
          'authorization': `Bearer ${token}`,
          'content-type': 'application/json',
          'x-openclaw-session-key': PRIMER.sessionKey,
          'x-openclaw-model': PRIMER.model,
        },
        body: PRIMING,
        signal,
      })
      const answer = await readText(response.body, { ...PRIMED, signal })
      /** Errors inside a stream have status 200. */
      if (response.statusCode !== 200 || answer.includes('data: {"error"')) {
        throw new Error(`status ${response.statusCode}`)
      }
    } catch (error) {
      signal.throwIfAborted()
      throw new E_GATEWAY_FAILED(undefined, { cause: error })
    }
  }

  /** Returns the JSON at a URL, or null for a 404. */
  async #read(
    address: string,
    token: string,
    hold: (bytes: number) => void
  ): Promise<Record<string, unknown> | null> {
    try {
      const signal = AbortSignal.timeout(this.timeoutMs)
      const response = await request(address, {
        headers: { authorization: `Bearer ${token}` },
        signal,
      })
      if (response.statusCode === 200) {
        return objectIn(await readJson(response.body, { ...HISTORY, signal, hold }))
      }
      await response.body.dump()
      if (response.statusCode === 404) return null
      throw new Error(`status ${response.statusCode}`)
    } catch (error) {
      throw new E_GATEWAY_FAILED(undefined, { cause: error })
    }
  }
}
