import { ReadableStream } from 'node:stream/web'
import { setTimeout as wait } from 'node:timers/promises'
import type {
  ConnectionTest,
  LlmAdapter,
  LlmField,
  OpenClawEntry,
  OpenClawProvider,
} from '#llm/contract'
import { describeConversation } from '#llm/demo_answer'
import { openClawEntry } from '#llm/openclaw_entry'

const MODEL = { id: 'echo', name: 'Echo', contextWindow: 128_000, maxTokens: 4096 }

/** Words per chunk, few enough that an answer of a hundred words visibly streams. */
const WORDS_PER_CHUNK = 4

interface ChatRequest {
  model?: unknown
  messages?: unknown
  stream?: unknown
  stream_options?: { include_usage?: unknown } | null
}

/**
 * A model inside Mosaic that needs no key and no network. It is no AI and says so: it repeats and describes its
 * input, so that all of Mosaic can be tried on a bare machine. Speaks OpenAI's chat completions, streaming or
 * not.
 */
export class DemoAdapter implements LlmAdapter {
  readonly type = 'demo'
  readonly label = 'Demo model'
  readonly description =
    'No AI: it repeats and describes what you write, to try Mosaic without a key or a network.'

  readonly defaults = {
    /** Makes no calls. */
    baseUrl: null,
    apiType: 'openai-completions',
    models: [MODEL],
  }

  readonly fields: LlmField[] = []

  /** `pauseMs` is the pause between chunks; the default is roughly a person's reading pace. */
  constructor(
    protected pauseMs: number = 12,
    protected now: () => number = Date.now
  ) {}

  async testConnection(): Promise<ConnectionTest> {
    return { ok: true, latencyMs: 0, models: [MODEL] }
  }

  toOpenClaw(provider: OpenClawProvider, endpoint: string): OpenClawEntry {
    return openClawEntry(provider, endpoint, { input: ['text'] })
  }

  authorize(): void {
    /** Needs no key. */
  }

  async respond(call: { path: string; body: unknown; signal: AbortSignal }): Promise<Response> {
    const path = call.path.split('?', 1)[0]
    if (path === '/models') {
      const data = [{ id: MODEL.id, object: 'model', created: 0, owned_by: 'mosaic' }]
      return Response.json({ object: 'list', data })
    }
    const request = (call.body ?? {}) as ChatRequest
    if (path !== '/chat/completions') return refuse(404, 'The demo model has no such path.')
    if (!Array.isArray(request.messages)) return refuse(400, 'The request has no messages.')

    const answer = describeConversation(request.messages)
    const head = {
      id: `chatcmpl-demo-${this.now()}`,
      created: Math.floor(this.now() / 1000),
      model: typeof request.model === 'string' ? request.model : MODEL.id,
    }
    if (!request.stream) {
      const message = { role: 'assistant', content: answer.text }
      const choices = [{ index: 0, message, finish_reason: 'stop' }]
      return Response.json({ ...head, object: 'chat.completion', choices, usage: answer.usage })
    }
    const usage = request.stream_options?.include_usage ? answer.usage : null
    const events = this.#events(head, answer.text, usage, call.signal)
    return new Response(
      ReadableStream.from(encoded(events)) as ConstructorParameters<typeof Response>[0],
      {
        headers: { 'content-type': 'text/event-stream', 'cache-control': 'no-cache' },
      }
    )
  }

  async *#events(head: object, text: string, usage: object | null, signal: AbortSignal) {
    const event = (delta: object, finish: string | null = null) => {
      const choices = [{ index: 0, delta, finish_reason: finish }]
      return { ...head, object: 'chat.completion.chunk', choices }
    }
    yield event({ role: 'assistant', content: '' })
    for (const content of chunksOf(text)) {
      signal.throwIfAborted()
      yield event({ content })
      if (this.pauseMs > 0) await wait(this.pauseMs, undefined, { signal })
    }
    yield event({}, 'stop')
    if (usage) yield { ...head, object: 'chat.completion.chunk', choices: [], usage }
  }
}

/** Splits text into whole words with trailing white space; joined, they are the text again. */
function chunksOf(text: string): string[] {
  const words = text.split(/(?<=\s)(?=\S)/)
  return Array.from({ length: Math.ceil(words.length / WORDS_PER_CHUNK) }, (_, index) =>
    words.slice(index * WORDS_PER_CHUNK, (index + 1) * WORDS_PER_CHUNK).join('')
  )
}

async function* encoded(events: AsyncIterable<object>): AsyncGenerator<Uint8Array> {
  const encoder = new TextEncoder()
  for await (const event of events) yield encoder.encode(`data: ${JSON.stringify(event)}\n\n`)
  yield encoder.encode('data: [DONE]\n\n')
}

function refuse(status: number, message: string): Response {
  const code = status === 404 ? 'model_not_found' : 'invalid_request'
  const error = { message, type: 'invalid_request_error', code, param: null }
  return Response.json({ error }, { status })
}
