import { LoopbackProvider, json, type Reply } from '#tests/functional/llm_relay/loopback_provider'

/** The words of a long answer; the model waits for `release` after this many. */
export const WORDS = 40
export const HELD_AFTER = 6

interface Message {
  role: string
  content: unknown
}

/** A call of the model, as it reached the service. */
export interface PacedCall {
  system: string
  /** What the user said last, as JSON. */
  said: string
}

/**
 * A loopback model for the chat page, told what to do by the user's message: "count" is a long answer that is
 * held in its middle; "run: <command>" calls a tool, then answers; "show: <path>" shows a file; anything else
 * is "Done.".
 */
export class PacedModel {
  static readonly MODEL = 'pacer-1'

  readonly calls: PacedCall[] = []
  #held = Promise.withResolvers<void>()
  readonly #service = new LoopbackProvider()

  get url(): string {
    return `${this.#service.url}/v1`
  }

  async start(): Promise<this> {
    await this.#service.start()
    this.#service.reply = async (response, call) => {
      if (call.url === '/v1/models') {
        const data = [{ id: PacedModel.MODEL, object: 'model' }]
        return json(200, { object: 'list', data })(response, call)
      }
      await this.#answer(response, JSON.parse(call.body).messages)
    }
    return this
  }

  async stop(): Promise<void> {
    this.release()
    await this.#service.stop()
  }

  /** Lets long answers end, until `hold`. */
  release(): void {
    this.#held.resolve()
  }

  hold(): void {
    this.#held = Promise.withResolvers()
  }

  async #answer(response: Parameters<Reply>[0], messages: Message[]): Promise<void> {
    const turn = messages.slice(messages.findLastIndex(({ role }) => role === 'assistant') + 1)
    const said = JSON.stringify(turn.filter(({ role }) => role === 'user'))
    const system = JSON.stringify(messages.filter(({ role }) => role === 'system'))
    this.calls.push({ system, said })
    const command = /run: (.+?)(?=\\n|")/.exec(said)?.[1]
    const path = /show: ([\w./]+)/.exec(said)?.[1]

    const event = (delta: object, finish: string | null = null, more: object = {}) => {
      const choices = [{ index: 0, delta, finish_reason: finish }]
      const chunk = { id: 'c1', object: 'chat.completion.chunk', created: 1, model: 'm', choices }
      return response.write(`data: ${JSON.stringify({ ...chunk, ...more })}\n\n`)
    }
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    event({ role: 'assistant', content: '' })
    const isActing = command && turn.every(({ role }) => role !== 'tool')
    if (isActing) {
      const call = { name: 'exec', arguments: JSON.stringify({ command, yieldMs: 600_000 }) }
      event({
        tool_calls: [
          { index: 0, id: `call_${this.calls.length}`, type: 'function', function: call },
        ],
      })
    } else if (said.includes('count')) {
      for (let word = 0; word < WORDS; word++) {
        if (word === HELD_AFTER) await this.#held.promise
        event({ content: `word${word} ` })
      }
    } else {
      event({ content: path ? `Here it is.\n\nMEDIA:${path}\n` : 'Done.' })
    }
    event({}, isActing ? 'tool_calls' : 'stop')
    event({}, null, {
      choices: [],
      usage: { prompt_tokens: 100, completion_tokens: 20, total_tokens: 120 },
    })
    response.end('data: [DONE]\n\n')
  }
}
