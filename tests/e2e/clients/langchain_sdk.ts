import { clientPackage } from '#tests/e2e/clients/packages'
import {
  CITY,
  PARAMETERS,
  resultOf,
  type Ask,
  type Connection,
  type Sdk,
} from '#tests/e2e/clients/sdk'

/** `@langchain/openai`. */
export async function langchain({ baseURL, apiKey }: Connection): Promise<Sdk> {
  const { ChatOpenAI } = await clientPackage('@langchain/openai')
  const { HumanMessage, ToolMessage } = await clientPackage('@langchain/core/messages')
  const chat = ({ model, retries = 0 }: Ask) =>
    new ChatOpenAI({ model, apiKey, configuration: { baseURL }, maxRetries: retries })
  const bound = (ask: Ask) =>
    ask.tools
      ? chat(ask).bindTools(
          ask.tools.map((name) => ({
            type: 'function',
            function: { name, parameters: PARAMETERS },
          }))
        )
      : chat(ask)
  const asked = ({ prompt, image }: Ask): unknown[] => {
    const text = { type: 'text', text: prompt }
    const picture = { type: 'image_url', image_url: { url: image } }
    return [new HumanMessage({ content: image ? [text, picture] : prompt })]
  }
  /** Runs tools until the model answers in words. */
  async function loop(ask: Ask, send: (messages: unknown[]) => Promise<any>) {
    const messages = asked(ask)
    for (;;) {
      const answer = await send(messages)
      const { usage_metadata: usage, tool_calls: calls } = answer
      if (!calls?.length) {
        const tokens = { input: usage?.input_tokens ?? 0, output: usage?.output_tokens ?? 0 }
        return { text: answer.content as string, usage: tokens }
      }
      const results = calls.map(
        ({ id, name }: any) => new ToolMessage({ tool_call_id: id, content: resultOf(name) })
      )
      messages.push(answer, ...results)
    }
  }
  return {
    name: '@langchain/openai',
    statusOf: (error) => error.status,
    ask: (ask) => loop(ask, (messages) => bound(ask).invoke(messages, { signal: ask.signal })),
    stream: (ask, onText) =>
      loop(ask, async (messages) => {
        let whole: any
        for await (const chunk of await bound(ask).stream(messages, { signal: ask.signal })) {
          if (chunk.content) onText?.(chunk.content)
          whole = whole ? whole.concat(chunk) : chunk
        }
        return whole
      }),
    object: (ask) =>
      chat(ask)
        .withStructuredOutput(CITY, { method: 'jsonSchema', name: 'place', strict: true })
        .invoke(asked(ask)),
  }
}
