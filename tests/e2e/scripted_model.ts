import {
  LoopbackProvider,
  json,
  type ProviderCall,
} from '#tests/functional/llm_relay/loopback_provider'

/** What the model does with a call: speak, call tools, or fail. */
export type Turn =
  | { text: string }
  | { calls: { name: string; args?: object }[] }
  | { status: number; body: object; headers?: Record<string, string> }

/** A chat as it reached the service. */
export interface ModelBody {
  model: string
  stream?: boolean
  messages: { role: string; content: unknown }[]
  tools?: { function: { name: string } }[]
  [field: string]: unknown
}

/** An LLM service with OpenAI's chat completions that follows a test's script, streaming and not. */
export class ScriptedModel {
  static readonly MODEL = 'parrot-1'

  readonly bodies: ModelBody[] = []
  script: (body: ModelBody, number: number) => Turn = () => ({ text: 'Hello there.' })
  readonly #service = new LoopbackProvider()

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
      if (body.stream) return this.#stream(turn)(response, call)
      return json(200, whole(turn))(response, call)
    }
    return this
  }

  get url(): string {
    return `${this.#service.url}/v1`
  }

  stop(): Promise<void> {
    return this.#service.stop()
  }

  #stream(turn: Exclude<Turn, { status: number }>) {
    return (response: Parameters<LoopbackProvider['reply']>[0], _call: ProviderCall) => {
      const event = (delta: object, finish: string | null = null) =>
        response.write(`data: ${JSON.stringify(chunk({ delta, finish_reason: finish }))}\n\n`)
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      event({ role: 'assistant', content: '' })
      if ('text' in turn) for (const word of turn.text.split(/(?<= )/)) event({ content: word })
      else event({ tool_calls: callsOf(turn).map((call, index) => ({ index, ...call })) })
      event({}, 'text' in turn ? 'stop' : 'tool_calls')
      response.write(`data: ${JSON.stringify({ ...chunk(), choices: [], usage: USAGE })}\n\n`)
      response.end('data: [DONE]\n\n')
    }
  }
}

const USAGE = { prompt_tokens: 11, completion_tokens: 7, total_tokens: 18 }

const chunk = (choice: object = {}) => ({
  ...{ id: 'c1', object: 'chat.completion.chunk', created: 1, model: ScriptedModel.MODEL },
  choices: [{ index: 0, ...choice }],
})

function whole(turn: Exclude<Turn, { status: number }>) {
  const message =
    'text' in turn ? { content: turn.text } : { content: null, tool_calls: callsOf(turn) }
  const finish = 'text' in turn ? 'stop' : 'tool_calls'
  const choices = [{ index: 0, message: { role: 'assistant', ...message }, finish_reason: finish }]
  return { ...chunk(), object: 'chat.completion', choices, usage: USAGE }
}

function callsOf({ calls }: { calls: { name: string; args?: object }[] }) {
  return calls.map(({ name, args = {} }, index) => ({
    id: `call_${index + 1}`,
    type: 'function',
    function: { name, arguments: JSON.stringify(args) },
  }))
}
