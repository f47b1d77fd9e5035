import type { ServerResponse } from 'node:http'
import {
  LoopbackProvider,
  json,
  type ProviderCall,
} from '#tests/functional/llm_relay/loopback_provider'
import { chatEvents, wholeChat } from '#tests/e2e/scripted_chat'
import { responseEvents, wholeResponse } from '#tests/e2e/scripted_responses'
import { MODEL, type ModelBody, type Said, type Turn } from '#tests/e2e/scripted_turn'

/** An LLM service with both of OpenAI's chat APIs that follows a test's script, streaming and not. */
export class ScriptedModel {
  static readonly MODEL = MODEL

  readonly bodies: ModelBody[] = []
  script: (body: ModelBody, number: number) => Turn = () => ({ text: 'Hello there.' })
  readonly #service = new LoopbackProvider()
  #begun = Promise.withResolvers<void>()
  #left = Promise.withResolvers<void>()

  async start(): Promise<this> {
    await this.#service.start()
    this.#service.reply = (response, call) => {
      if (call.url === '/v1/models') {
        const data = [{ id: ScriptedModel.MODEL, object: 'model' }]
        return json(200, { object: 'list', data })(response, call)
      }
      const body = JSON.parse(call.body) as ModelBody
      this.bodies.push(body)
      const turn = this.script(body, this.bodies.length)
      if ('status' in turn) return json(turn.status, turn.body, turn.headers)(response, call)
      this.#answer(response, call, { turn, isStream: body.stream === true })
    }
    return this
  }

  get url(): string {
    return `${this.#service.url}/v1`
  }

  /** Resolves once a caller hangs up in the middle of an answer that begins after now. */
  whenLeft(): Promise<void> {
    this.#begun = Promise.withResolvers()
    this.#left = Promise.withResolvers()
    return this.#left.promise
  }

  /** Resolves once an answer after the last `whenLeft` has begun and fallen silent. */
  whenBegun(): Promise<void> {
    return this.#begun.promise
  }

  stop(): Promise<void> {
    return this.#service.stop()
  }

  #answer(
    response: ServerResponse,
    call: ProviderCall,
    { turn, isStream }: { turn: Exclude<Turn, { status: number }>; isStream: boolean }
  ): void {
    const isChat = call.url.endsWith('/chat/completions')
    const begins = 'begins' in turn
    const said: Said = begins ? { text: turn.begins } : turn
    if (!isStream) {
      if (begins) return
      return json(200, isChat ? wholeChat(said) : wholeResponse(said))(response, call)
    }
    const events = isChat ? chatEvents(said) : responseEvents(said)
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    if (!begins)
      return void response.end([...events.opening, ...events.words, ...events.end].join(''))
    response.write([...events.opening, ...events.words].join(''))
    this.#begun.resolve()
    response.once('close', this.#left.resolve)
  }
}
