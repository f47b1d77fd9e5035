import { LoopbackService, type Received, type Reply } from '#tests/contracts/loopback_service'

export const MODEL = 'vendor/large'

/** A chat as OpenRouter received it. */
export interface Chat {
  headers: Received['headers']
  /** All that the model was told, as text. */
  told: string
}

/** OpenRouter on loopback: knows one key and one model, and answers every chat with its number. */
export class OpenrouterService {
  readonly chats: Chat[] = []
  #service: LoopbackService | null = null

  constructor(readonly key: string) {}

  get url(): string {
    return `${this.#service!.url}/api/v1`
  }

  async start(): Promise<this> {
    this.#service = await LoopbackService.start((request) => this.#answer(request))
    return this
  }

  async close(): Promise<void> {
    await this.#service?.close()
  }

  /** The answer to the chat of this number, from 1. */
  static answer(number: number): string {
    return `This is answer ${number}.`
  }

  #answer({ method, url, headers, body }: Received): Reply {
    const call = `${method} ${url.split('?')[0]}`
    if (call === 'GET /api/v1/models') return { status: 200, json: { data: [{ id: MODEL }] } }
    if (headers.authorization !== `Bearer ${this.key}`) {
      return { status: 401, json: { error: { code: 401, message: 'No auth credentials found' } } }
    }
    if (call === 'GET /api/v1/key') return { status: 200, json: { data: {} } }
    if (call !== 'POST /api/v1/chat/completions') {
      return { status: 404, json: { error: { code: 404, message: 'Not Found' } } }
    }
    const { messages, stream } = body as { messages: unknown; stream?: boolean }
    this.chats.push({ headers, told: JSON.stringify(messages) })
    const content = OpenrouterService.answer(this.chats.length)
    if (!stream) return { status: 200, json: { choices: [{ message: { content } }] } }
    return (response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      const event = (delta: object, finish: string | null) =>
        response.write(
          `data: ${JSON.stringify({
            id: 'gen-1',
            object: 'chat.completion.chunk',
            created: 1,
            model: MODEL,
            choices: [{ index: 0, delta, finish_reason: finish }],
          })}\n\n`
        )
      event({ role: 'assistant', content }, null)
      event({}, 'stop')
      response.end('data: [DONE]\n\n')
    }
  }
}
