import { setTimeout as after } from 'node:timers/promises'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { MemoryControl, type MemoryWork } from '#tests/doubles/memory_runtime/control'

/** A message of a conversation, as the double stores it. */
export interface MemoryMessage {
  role: 'user' | 'assistant'
  text: string
  at: number
}

/** An agent's memory: its conversations by session key. Outlives the gateway, like a state folder. */
export type MemorySessions = Map<string, MemoryMessage[]>

/** Faults of a gateway double. Read on each request, so they can change while it runs. */
export interface MemoryFaults extends MemoryWork {
  /** Milliseconds from the start until `/startupz` answers 200. */
  bootMs?: number
  /** The same until it is over. */
  boot?: { isOver: boolean }
  /** Chats send their role chunk and then nothing. */
  hang?: boolean
  /** Chats end with an error frame in a stream with status 200; without streaming, with status 500. */
  errorFrame?: boolean
  /** The whole instance dies after a chat's first content chunk. */
  crashMidStream?: boolean
  /** Milliseconds between content chunks. */
  chunkDelayMs?: number
  /** A chat waits after so many content chunks, until the promise resolves. */
  hold?: { chunks: number; until: Promise<void> }
  /** Answers every request with 503, as while draining. */
  unavailable?: boolean
}

export interface MemoryGatewayOptions {
  token: string
  sessions: MemorySessions
  faults: MemoryFaults
  now: () => number
  log: (line: string) => void
  /** Ends the instance like a crash. */
  crash: () => void
  /** Commands of tests by path, answered at the gateway's own address whatever its faults. */
  knobs?: Record<string, (asked: any) => unknown>
}

/** Larger than any test's body. */
const MAX_BODY_BYTES = 25 * 1024 * 1024

/** A double of OpenClaw's gateway on a loopback port: health, chat, history, sessions and control. */
export class MemoryGateway {
  readonly #options: MemoryGatewayOptions
  readonly #server: Server
  readonly #ended = new AbortController()
  readonly control: MemoryControl
  #chats = 0
  #startedAt = 0
  #resumed: PromiseWithResolvers<void> | null = null

  constructor(options: MemoryGatewayOptions) {
    this.#options = options
    this.control = new MemoryControl(options.faults, () => this.#chats)
    this.#server = createServer((request, response) => {
      this.#serve(request, response).catch((error) => {
        if (!(error instanceof SyntaxError) || response.headersSent) return response.destroy()
        json(response, 400, { error: { message: 'Invalid JSON', type: 'invalid_request_error' } })
      })
    })
  }

  /** Listens, by default on a free port; returns the URL without a trailing slash. */
  async start(port = 0, host = '127.0.0.1'): Promise<string> {
    this.#startedAt = this.#options.now()
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject).listen(port, host, resolve)
    })
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  /** Closes the port and cuts every connection, as when a process ends. */
  async stop(): Promise<void> {
    this.#ended.abort()
    this.#resumed?.resolve()
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()))
    this.#server.closeAllConnections()
    await closed
  }

  /** Accepts connections but answers nothing, like a stopped process. */
  suspend(): void {
    this.#resumed ??= Promise.withResolvers()
  }

  resume(): void {
    this.#resumed?.resolve()
    this.#resumed = null
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    await this.#resumed?.promise
    const url = new URL(request.url ?? '/', 'http://gateway')
    const knob = this.#options.knobs?.[url.pathname]
    if (knob) return json(response, 200, (await knob(await body(request))) ?? {})
    if (this.#options.faults.unavailable) return unavailable(response)
    if (url.pathname === '/healthz') return json(response, 200, { ok: true, status: 'live' })
    if (url.pathname === '/startupz') return this.#startup(response)

    if (request.headers.authorization !== `Bearer ${this.#options.token}`) {
      return json(response, 401, { error: { message: 'Unauthorized', type: 'unauthorized' } })
    }
    if (request.method === 'POST' && url.pathname === '/api/v1/admin/rpc') {
      const { status, body: answer } = this.control.answer(await body(request))
      return json(response, status, answer)
    }
    if (request.method === 'POST' && url.pathname === '/v1/chat/completions') {
      if (this.control.isClosed) return unavailable(response)
      this.#chats++
      return this.#chat(request, response).finally(() => this.#chats--)
    }
    if (request.method === 'POST' && url.pathname === '/tools/invoke') {
      return this.#invokeTool(await body(request), response)
    }
    const history = /^\/sessions\/([^/]+)\/history$/.exec(url.pathname)
    if (request.method === 'GET' && history) {
      return this.#history(decodeURIComponent(history[1]), url.searchParams, response)
    }
    json(response, 404, { error: { message: 'Not found', type: 'not_found' } })
  }

  #startup(response: ServerResponse): void {
    const { bootMs = 0, boot } = this.#options.faults
    const isBooted = this.#options.now() - this.#startedAt >= bootMs && boot?.isOver !== false
    const ready = isBooted && !this.control.isClosed
    json(response, ready ? 200 : 503, { ok: ready, status: ready ? 'started' : 'starting' })
  }

  async #chat(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const input = await body(request)
    const explicit = request.headers['x-openclaw-session-key']
    if (typeof explicit === 'string' && /^(subagent|cron|acp):/.test(explicit)) {
      return json(response, 400, {
        error: { message: 'Reserved session key', type: 'invalid_request_error' },
      })
    }
    const key = sessionKey(explicit, input.user)
    const said = lastUserText(input.messages)
    if (said === null) {
      return json(response, 400, {
        error: { message: 'Missing user message in `messages`.', type: 'invalid_request_error' },
      })
    }
    const messages = this.#options.sessions.get(key) ?? []
    this.#options.sessions.set(key, messages)
    messages.push({ role: 'user', text: said, at: this.#options.now() })
    const turn = messages.filter(({ role }) => role === 'user').length
    const answer = `Turn ${turn}: ${said}`
    this.#options.log(`chat ${key} turn ${turn}`)

    const reply = { id: `chatcmpl_${key}_${turn}`, model: input.model ?? 'openclaw' }
    const whole = input.stream
      ? await this.#stream(response, reply, answer, input.stream_options?.include_usage === true)
      : await this.#answerAtOnce(response, reply, answer)
    if (whole) messages.push({ role: 'assistant', text: answer, at: this.#options.now() })
  }

  /** Returns whether the response was sent in full. */
  async #answerAtOnce(
    response: ServerResponse,
    reply: { id: string; model: string },
    answer: string
  ): Promise<boolean> {
    const { faults, crash } = this.#options
    if (faults.hang) return this.#hang(response)
    if (faults.crashMidStream) {
      crash()
      return false
    }
    if (faults.errorFrame) {
      json(response, 500, { error: { message: 'internal error', type: 'api_error' } })
      return false
    }
    const message = { role: 'assistant', content: answer }
    json(response, 200, {
      ...reply,
      object: 'chat.completion',
      created: Math.floor(this.#options.now() / 1000),
      choices: [{ index: 0, message, finish_reason: 'stop' }],
      usage: usage(answer),
    })
    return true
  }

  async #stream(
    response: ServerResponse,
    reply: { id: string; model: string },
    answer: string,
    withUsage: boolean
  ): Promise<boolean> {
    const { faults, crash } = this.#options
    const send = (data: unknown) => response.write(`data: ${JSON.stringify(data)}\n\n`)
    const chunk = (delta: object, finishReason: string | null = null) => ({
      ...reply,
      object: 'chat.completion.chunk',
      created: Math.floor(this.#options.now() / 1000),
      choices: [{ index: 0, delta, finish_reason: finishReason }],
    })
    response.writeHead(200, {
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-cache',
    })
    send(chunk({ role: 'assistant' }))
    if (faults.hang) return this.#hang(response)
    if (faults.errorFrame) {
      send({ error: { message: 'All models failed (1): unavailable', type: 'api_error' } })
      response.end('data: [DONE]\n\n')
      return false
    }
    const left = new Promise((resolve) => response.once('close', resolve))
    for (const [index, part] of (answer.match(/\S+\s*/g) ?? [answer]).entries()) {
      if (response.destroyed || this.#ended.signal.aborted) return false
      send(chunk({ content: part }))
      if (faults.crashMidStream) {
        crash()
        return false
      }
      if (faults.chunkDelayMs) await after(faults.chunkDelayMs)
      if (index + 1 === faults.hold?.chunks) await Promise.race([faults.hold.until, left])
      await this.#resumed?.promise
    }
    send(chunk({}, 'stop'))
    if (withUsage) send({ ...chunk({}), choices: [], usage: usage(answer) })
    response.end('data: [DONE]\n\n')
    return true
  }

  /** Ends when the client or the instance does. */
  async #hang(response: ServerResponse): Promise<false> {
    await new Promise<void>((resolve) => response.once('close', resolve))
    return false
  }

  #history(key: string, query: URLSearchParams, response: ServerResponse): void {
    const messages = this.#options.sessions.get(fullKey(key))
    if (!messages) {
      return json(response, 404, { error: { message: 'Session not found', type: 'not_found' } })
    }
    const limit = Number(query.get('limit') ?? 200)
    const end = Number(query.get('cursor') ?? messages.length)
    const start = Math.max(0, end - limit)
    const items = messages.slice(start, end).map((message, index) => ({
      role: message.role,
      content: message.role === 'user' ? message.text : [{ type: 'text', text: message.text }],
      timestamp: message.at,
      __openclaw: { seq: start + index + 1 },
    }))
    json(response, 200, {
      sessionKey: fullKey(key),
      items,
      messages: items,
      hasMore: start > 0,
      ...(start > 0 ? { nextCursor: String(start) } : {}),
    })
  }

  #invokeTool(input: any, response: ServerResponse): void {
    if ((input.name ?? input.tool) !== 'sessions_list') {
      const error = { type: 'not_found', message: 'Tool not available' }
      return json(response, 404, { ok: false, error })
    }
    const sessions = [...this.#options.sessions]
      .map(([key, messages]) => ({ key, kind: 'other', updatedAt: messages.at(-1)?.at ?? 0 }))
      .sort((a, b) => b.updatedAt - a.updatedAt)
    const details = { count: sessions.length, sessions }
    const content = [{ type: 'text', text: JSON.stringify(details) }]
    json(response, 200, { ok: true, result: { content, details } })
  }
}

/**
 * Derives the key like the gateway: an explicit key wins over `user`; without either, each request is separate.
 */
function sessionKey(explicit: unknown, user: unknown): string {
  if (typeof explicit === 'string' && explicit) return fullKey(explicit)
  if (typeof user === 'string' && user) return `agent:main:openai-user:${user}`
  return `agent:main:openai:${crypto.randomUUID()}`
}

function fullKey(key: string): string {
  return key.startsWith('agent:') ? key : `agent:main:${key}`
}

function lastUserText(messages: unknown): string | null {
  if (!Array.isArray(messages)) return null
  const last = messages.findLast((message) => message?.role === 'user')
  if (typeof last?.content === 'string') return last.content
  if (!Array.isArray(last?.content)) return null
  return last.content.map((part: any) => part?.text ?? '').join('')
}

function usage(answer: string) {
  const words = answer.split(/\s+/).length
  return { prompt_tokens: words, completion_tokens: words, total_tokens: 2 * words }
}

async function body(request: IncomingMessage): Promise<any> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of request) {
    size += chunk.length
    if (size > MAX_BODY_BYTES) throw new Error('The body is too large')
    chunks.push(chunk)
  }
  return JSON.parse(Buffer.concat(chunks).toString() || '{}')
}

/** Answers like a gateway that is suspended, draining or restarting. */
function unavailable(response: ServerResponse): void {
  response.setHeader('retry-after', '1')
  const message = 'Gateway is temporarily unavailable while suspending or restarting'
  const code = 'gateway_unavailable'
  json(response, 503, { error: { message, type: 'service_unavailable', code } })
}

function json(response: ServerResponse, status: number, value: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json; charset=utf-8' })
  response.end(JSON.stringify(value))
}
