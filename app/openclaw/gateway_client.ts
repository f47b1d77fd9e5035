import { requestGateway as request } from '#runtimes/gateway_connections'
import { readJson, readText } from '#bounded/body'
import { E_GATEWAY_FAILED } from '#openclaw/errors'
import { callGateway } from '#openclaw/gateway_socket'
import { listSessions } from '#openclaw/session_list'
import { PRIMER } from '#openclaw/primer_model'
import { storedKey, toSession, type GatewaySession } from '#openclaw/gateway_shapes'
import { toMessages, type GatewayMessage, type StoredMessage } from '#openclaw/gateway_messages'
import { withWholeTexts } from '#openclaw/whole_texts'

/** Long enough for a gateway whose workers fell asleep, short enough for someone who waits. */
const TIMEOUT_MS = 15_000

/** A readiness probe that takes longer is a gateway that is busy starting. */
const PROBE_TIMEOUT_MS = 2000

/** What is said to the primer. Nobody reads it. */
const PRIMING = JSON.stringify({
  model: 'openclaw',
  stream: true,
  messages: [{ role: 'user', content: 'Hello.' }],
})

/** Messages of the primer's session that are kept: with more, each prewarm would take longer. */
const PRIMER_MESSAGES = 50

/** The most turns of a conversation that are read back at once. */
const HISTORY_LIMIT = 200

/** Two hundred turns with the results of their tools; a page with more would not be read. */
const HISTORY = {
  what: 'The conversation in the answer of the gateway',
  maxBytes: 32 * 1024 * 1024,
}

/** The primer says a few words. */
const PRIMED = { what: 'The answer of the gateway to the primer', maxBytes: 1024 * 1024 }

/** A part of a conversation, oldest first. */
export interface GatewayHistory {
  messages: GatewayMessage[]
  /** Gives the turns before these, or null at the beginning. */
  nextCursor: string | null
}

/**
 * What Mosaic asks a gateway beside chatting. `url` and `token` are those of `GatewayAccess`. Keys of
 * conversations are as the chat endpoint takes them in `x-openclaw-session-key`.
 */
export class GatewayClient {
  constructor(protected timeoutMs: number = TIMEOUT_MS) {}

  /**
   * Whether the gateway may get traffic now. Anything but its yes is a no: starting, draining, refused,
   * silent. Costs the agent nothing and counts as nobody's activity. Rejects only when `signal` ends it.
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
   * The agent's conversations, the latest first.
   *
   * @throws E_GATEWAY_FAILED
   */
  async sessions(url: string, token: string): Promise<GatewaySession[]> {
    const sessions = await listSessions({ url, token, timeoutMs: this.timeoutMs })
    return sessions
      .map(toSession)
      .filter((session) => session !== null)
      .toSorted((a, b) => b.updatedAt.getTime() - a.updatedAt.getTime())
  }

  /**
   * The turns of a conversation that a person wrote and read. Null where there is no such conversation.
   *
   * @throws E_GATEWAY_FAILED
   */
  async history(
    url: string,
    token: string,
    key: string,
    options: { limit?: number; cursor?: string } = {}
  ): Promise<GatewayHistory | null> {
    const query = new URLSearchParams({ limit: String(options.limit ?? HISTORY_LIMIT) })
    if (options.cursor) query.set('cursor', options.cursor)
    const path = `/sessions/${encodeURIComponent(storedKey(key))}/history?${query}`
    const answer = await this.#read(`${url}${path}`, token)
    if (!answer) return null

    const rows = (answer.messages ?? []) as StoredMessage[]
    return {
      messages: toMessages(await withWholeTexts({ url, token }, key, rows)),
      nextCursor: answer.hasMore ? (answer.nextCursor ?? null) : null,
    }
  }

  /**
   * Takes a conversation out of the agent's list. OpenClaw keeps an archive of it in the state folder.
   * A conversation that does not exist is success.
   *
   * @throws E_GATEWAY_FAILED
   */
  async deleteSession(url: string, token: string, key: string): Promise<void> {
    const gateway = { url, token, timeoutMs: this.timeoutMs }
    await callGateway(gateway, 'sessions.delete', { key: storedKey(key) })
  }

  /**
   * One chat with the primer in a session of its own: what the gateway loads for it, the next chat finds
   * ready. The session stays, because deleting one makes the gateway cold again (2.5 s to the next first
   * token instead of 0.5, with OpenClaw 2026.9.6); only a long one is ended and begun anew.
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
      /** An error in a stream has the status 200. */
      if (response.statusCode !== 200 || answer.includes('data: {"error"')) {
        throw new Error(`status ${response.statusCode}`)
      }
    } catch (error) {
      signal.throwIfAborted()
      throw new E_GATEWAY_FAILED(undefined, { cause: error })
    }
  }

  /** The JSON at an address, or null for 404. */
  async #read(address: string, token: string): Promise<any> {
    try {
      const signal = AbortSignal.timeout(this.timeoutMs)
      const response = await request(address, {
        headers: { authorization: `Bearer ${token}` },
        signal,
      })
      if (response.statusCode === 200) return await readJson(response.body, { ...HISTORY, signal })
      await response.body.dump()
      if (response.statusCode === 404) return null
      throw new Error(`status ${response.statusCode}`)
    } catch (error) {
      throw new E_GATEWAY_FAILED(undefined, { cause: error })
    }
  }
}
