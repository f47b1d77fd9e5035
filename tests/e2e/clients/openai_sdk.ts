import type OpenAI from 'openai'
import { clientPackage } from '#tests/e2e/clients/packages'
import {
  CITY,
  PARAMETERS,
  resultOf,
  type Ask,
  type Connection,
  type Sdk,
} from '#tests/e2e/clients/sdk'

async function connect({ baseURL, apiKey }: Connection): Promise<OpenAI> {
  const { default: Client } = await clientPackage('openai')
  return new Client({ baseURL, apiKey, maxRetries: 0 })
}

const statusOf = (error: any) => error.status

const optionsOf = ({ signal, retries = 0 }: Ask) => ({ signal, maxRetries: retries })

/** `openai`, `client.chat.completions`. */
export async function openAiChat(connection: Connection): Promise<Sdk> {
  const client = await connect(connection)
  const messages = ({ prompt, image }: Ask): any => {
    if (!image) return [{ role: 'user', content: prompt }]
    const text = { type: 'text', text: prompt }
    return [{ role: 'user', content: [text, { type: 'image_url', image_url: { url: image } }] }]
  }
  const tools = (names: string[]) =>
    names.map((name) => ({
      type: 'function' as const,
      function: { name, parameters: PARAMETERS, parse: JSON.parse, function: () => resultOf(name) },
    }))
  const told = (usage?: { prompt_tokens: number; completion_tokens: number } | null) => ({
    input: usage?.prompt_tokens ?? 0,
    output: usage?.completion_tokens ?? 0,
  })
  const run = (ask: Ask, stream: boolean): any =>
    client.chat.completions.runTools(
      { model: ask.model, messages: messages(ask), tools: tools(ask.tools!), stream } as any,
      optionsOf(ask)
    )
  return {
    name: 'openai',
    statusOf,
    async ask(ask) {
      if (ask.tools) return { text: await run(ask, false).finalContent(), usage: told() }
      const request = { model: ask.model, messages: messages(ask) }
      const answer = await client.chat.completions.create(request, optionsOf(ask))
      return { text: answer.choices[0].message.content ?? '', usage: told(answer.usage) }
    },
    async stream(ask, onText) {
      if (ask.tools) return { text: await run(ask, true).finalContent(), usage: told() }
      const stream = await client.chat.completions.create(
        {
          ...{ model: ask.model, messages: messages(ask), stream: true },
          stream_options: { include_usage: true },
        },
        optionsOf(ask)
      )
      let text = ''
      let usage
      for await (const chunk of stream) {
        const delta = chunk.choices[0]?.delta.content ?? ''
        if (delta) onText?.(delta)
        text += delta
        usage = chunk.usage ?? usage
      }
      ask.signal?.throwIfAborted()
      return { text, usage: told(usage) }
    },
    async object(ask) {
      const json_schema = { name: 'place', strict: true, schema: CITY }
      const answer = await client.chat.completions.parse({
        ...{ model: ask.model, messages: messages(ask) },
        response_format: { type: 'json_schema', json_schema },
      })
      return JSON.parse(answer.choices[0].message.content!)
    },
  }
}

/** `openai`, `client.responses`. */
export async function openAiResponses(connection: Connection): Promise<Sdk> {
  const client = await connect(connection)
  const input = ({ prompt, image }: Ask): any[] => {
    const text = { type: 'input_text', text: prompt }
    const picture = { type: 'input_image', image_url: image, detail: 'auto' }
    return [{ role: 'user', content: image ? [text, picture] : [text] }]
  }
  const request = (ask: Ask, items: any[]): any => ({
    ...{ model: ask.model, input: items, store: false },
    ...(ask.tools && {
      tools: ask.tools.map((name) => ({
        ...{ type: 'function', name, parameters: PARAMETERS, strict: true },
      })),
    }),
  })
  /** Runs tools until the model answers in words. */
  async function loop(ask: Ask, send: (items: any[]) => Promise<any>): Promise<any> {
    const items = input(ask)
    for (;;) {
      const answer = await send(items)
      const calls = answer.output.filter(({ type }: any) => type === 'function_call')
      if (calls.length === 0) return answer
      const results = calls.map(({ call_id, name }: any) => ({
        ...{ type: 'function_call_output', call_id, output: resultOf(name) },
      }))
      items.push(...answer.output, ...results)
    }
  }
  const told = ({ output_text, usage }: any) => ({
    text: output_text,
    usage: { input: usage?.input_tokens ?? 0, output: usage?.output_tokens ?? 0 },
  })
  return {
    name: 'openai, Responses',
    statusOf,
    async ask(ask) {
      const send = (items: any[]) => client.responses.create(request(ask, items), optionsOf(ask))
      return told(await loop(ask, send))
    },
    async stream(ask, onText) {
      const answer = await loop(ask, async (items) => {
        const stream: any = client.responses.stream(request(ask, items), optionsOf(ask))
        stream.on('response.output_text.delta', ({ delta }: any) => onText?.(delta))
        return stream.finalResponse()
      })
      return told(answer)
    },
    async object(ask) {
      const format = { type: 'json_schema', name: 'place', strict: true, schema: CITY }
      const answer = await client.responses.parse({
        ...request(ask, input(ask)),
        text: { format },
      })
      return JSON.parse(answer.output_text)
    },
  }
}
