import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

interface Message {
  role: string
  content: unknown
}

/**
 * A loopback model that acts: told "run: <command>" it makes the agent run that in the background; anything
 * else it answers with "Done.". A test can hold back its answers.
 */
export class ActingModel {
  static readonly MODEL = 'actor-1'

  /** For each call, the user's messages since the last answer or action, as text. */
  readonly asked: string[] = []
  /** For each call, the model that was asked for, and all that the provider was sent. */
  readonly models: string[] = []
  readonly received: string[] = []
  #held: PromiseWithResolvers<void> | null = null
  readonly #server = createServer((request, response) => void this.#answer(request, response))

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/v1`
  }

  async start(): Promise<this> {
    this.#server.listen(0, '127.0.0.1')
    await once(this.#server, 'listening')
    return this
  }

  async stop(): Promise<void> {
    this.release()
    this.#server.close()
    this.#server.closeAllConnections()
    await once(this.#server, 'close')
  }

  hold(): void {
    this.#held = Promise.withResolvers()
  }

  release(): void {
    this.#held?.resolve()
    this.#held = null
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let text = ''
    for await (const chunk of request) text += chunk
    if (request.url === '/v1/models') {
      response.end(JSON.stringify({ object: 'list', data: [{ id: ActingModel.MODEL }] }))
      return
    }
    this.received.push(JSON.stringify(request.headers) + text)
    const { messages, model } = JSON.parse(text) as { messages: Message[]; model: string }
    this.models.push(model)
    const answered = messages.findLastIndex(({ role }) => role === 'assistant' || role === 'tool')
    const since = messages.slice(answered + 1).filter(({ role }) => role === 'user')
    const asked = JSON.stringify(since.map(({ content }) => content))
    this.asked.push(asked)
    const command = /run: ([a-z0-9 ]+)/.exec(asked)?.[1]

    response.writeHead(200, { 'content-type': 'text/event-stream' })
    const say = (delta: object, finish: string | null = null) => {
      const choices = [{ index: 0, delta, finish_reason: finish }]
      const chunk = { id: 'c1', object: 'chat.completion.chunk', created: 1, model: 'm', choices }
      response.write(`data: ${JSON.stringify(chunk)}\n\n`)
    }
    say({ role: 'assistant', content: '' })
    await this.#held?.promise
    if (command) {
      const call = { name: 'exec', arguments: JSON.stringify({ command, background: true }) }
      say({ tool_calls: [{ index: 0, id: 'call_1', type: 'function', function: call }] })
      say({}, 'tool_calls')
    } else {
      say({ content: 'Done.' })
      say({}, 'stop')
    }
    response.end('data: [DONE]\n\n')
  }
}
