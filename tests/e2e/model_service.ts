import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

/** A chat as it reached the service. */
export interface ModelCall {
  authorization: string
  body: { model: string; stream?: boolean; messages: { role: string; content: unknown }[] }
}

/**
 * An LLM service, on loopback by default, that speaks OpenAI's API, requires its key, and streams each answer
 * in two halves. A test can hold back the second half, to prove that the first was really streamed.
 */
export class ModelService {
  static readonly MODEL = 'parrot-1'

  readonly calls: ModelCall[] = []
  /** Any other key gets 401, as with real services. */
  key: string
  /** Any other model gets 404. */
  model = ModelService.MODEL
  #port = 0
  #answers = 0
  #held: PromiseWithResolvers<void> | null = null
  readonly #server = createServer((request, response) => void this.#answer(request, response))

  constructor(
    private readonly firstKey: string,
    private readonly host = '127.0.0.1'
  ) {
    this.key = firstKey
  }

  get url(): string {
    return `http://${this.host}:${this.#port}/v1`
  }

  /** Starts the service, on its previous port if it ran before. */
  async start(): Promise<this> {
    this.#server.listen(this.#port, this.host)
    await once(this.#server, 'listening')
    this.#port = (this.#server.address() as AddressInfo).port
    return this
  }

  async stop(): Promise<void> {
    this.release()
    if (!this.#server.listening) return
    this.#server.close()
    this.#server.closeAllConnections()
    await once(this.#server, 'close')
  }

  /** From now on, answers stop after their first half. */
  hold(): void {
    this.#held = Promise.withResolvers()
  }

  /** Releases held answers. */
  release(): void {
    this.#held?.resolve()
    this.#held = null
  }

  get isHolding(): boolean {
    return this.#held !== null
  }

  /** Restores the initial behaviour, running. */
  async recover(): Promise<void> {
    this.release()
    this.key = this.firstKey
    this.model = ModelService.MODEL
    if (!this.#server.listening) await this.start()
  }

  /** Returns both halves of the numbered answer, counting from 1. */
  static answer(number: number): [string, string] {
    return [`Answer ${number} begins here`, `, and answer ${number} ends.`]
  }

  /** Returns all input of a call's model, as text. */
  static told(call: ModelCall): string {
    return JSON.stringify(call.body.messages)
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let text = ''
    for await (const chunk of request) text += chunk
    const authorization = request.headers.authorization ?? ''
    if (authorization !== `Bearer ${this.key}`) {
      return refuse(response, 401, 'invalid_api_key', 'The key is wrong.')
    }
    if (request.url === '/v1/models') {
      const data = [{ id: this.model, object: 'model', owned_by: 'test' }]
      return send(response, 200, { object: 'list', data })
    }
    const body = JSON.parse(text) as ModelCall['body']
    this.calls.push({ authorization, body })
    if (body.model !== this.model) {
      return refuse(response, 404, 'model_not_found', `There is no model "${body.model}".`)
    }
    await this.#stream(response)
  }

  async #stream(response: ServerResponse): Promise<void> {
    const [first, second] = ModelService.answer(++this.#answers)
    const event = (delta: object, finish: string | null = null) => {
      const choices = [{ index: 0, delta, finish_reason: finish }]
      const chunk = { id: 'c1', object: 'chat.completion.chunk', created: 1, model: 'm', choices }
      response.write(`data: ${JSON.stringify(chunk)}\n\n`)
    }
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    event({ role: 'assistant', content: first })
    await this.#held?.promise
    event({ content: second })
    event({}, 'stop')
    response.end('data: [DONE]\n\n')
  }
}

function send(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' })
  response.end(JSON.stringify(body))
}

function refuse(response: ServerResponse, status: number, code: string, message: string): void {
  send(response, status, { error: { message, type: 'invalid_request_error', code, param: null } })
}
