import { clientPackage } from '#tests/e2e/clients/packages'
import {
  CITY,
  PARAMETERS,
  resultOf,
  type Ask,
  type Connection,
  type Sdk,
} from '#tests/e2e/clients/sdk'

/** `@openai/agents` with one of OpenAI's two APIs; its own default is Responses. */
export async function openAiAgents(
  { baseURL, apiKey }: Connection,
  api: 'chat completions' | 'Responses'
): Promise<Sdk> {
  const { Agent, OpenAIProvider, Runner, tool } = await clientPackage('@openai/agents')
  const { default: OpenAI } = await clientPackage('openai')
  const runner = ({ retries = 0 }: Ask) =>
    new Runner({
      ...{ tracingDisabled: true },
      modelProvider: new OpenAIProvider({
        openAIClient: new OpenAI({ baseURL, apiKey, maxRetries: retries }),
        useResponses: api === 'Responses',
      }),
    })
  const agent = ({ model, tools = [] }: Ask, outputType?: object) =>
    new Agent({
      ...{ name: 'Tester', instructions: 'Be brief.', model, outputType },
      tools: tools.map((name) =>
        tool({
          ...{ name, description: name, parameters: PARAMETERS, strict: true },
          execute: async () => resultOf(name),
        })
      ),
    })
  const input = ({ prompt, image }: Ask) => {
    const text = { type: 'input_text', text: prompt }
    return [{ role: 'user', content: image ? [text, { type: 'input_image', image }] : [text] }]
  }
  const told = ({ finalOutput, state }: any) => ({
    text: finalOutput,
    usage: { input: state.usage.inputTokens, output: state.usage.outputTokens },
  })
  return {
    name: `@openai/agents, ${api}`,
    statusOf: (error) => error.status,
    async ask(ask) {
      return told(await runner(ask).run(agent(ask), input(ask), { signal: ask.signal }))
    },
    async stream(ask, onText) {
      const options = { stream: true, signal: ask.signal }
      const result = await runner(ask).run(agent(ask), input(ask), options)
      for await (const piece of result.toTextStream()) onText?.(piece)
      await result.completed
      ask.signal?.throwIfAborted()
      return told(result)
    },
    async object(ask) {
      const outputType = { type: 'json_schema', name: 'place', strict: true, schema: CITY }
      const result = await runner(ask).run(agent(ask, outputType), input(ask))
      return result.finalOutput
    },
  }
}
