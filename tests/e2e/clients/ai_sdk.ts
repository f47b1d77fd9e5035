import { clientPackage } from '#tests/e2e/clients/packages'
import {
  CITY,
  PARAMETERS,
  resultOf,
  type Ask,
  type Connection,
  type Sdk,
} from '#tests/e2e/clients/sdk'

/** How many calls of a model one question may take. */
const MOST_STEPS = 4

/** Vercel's `ai` with `@ai-sdk/openai-compatible`, which speaks chat completions. */
export async function aiCompatible({ baseURL, apiKey }: Connection): Promise<Sdk> {
  const { createOpenAICompatible } = await clientPackage('@ai-sdk/openai-compatible')
  const mosaic = createOpenAICompatible({
    ...{ name: 'mosaic', baseURL, apiKey },
    ...{ includeUsage: true, supportsStructuredOutputs: true },
  })
  return aiSdk('ai', mosaic)
}

/** Vercel's `ai` with `@ai-sdk/openai`, which speaks the Responses API. */
export async function aiOpenAi({ baseURL, apiKey }: Connection): Promise<Sdk> {
  const { createOpenAI } = await clientPackage('@ai-sdk/openai')
  return aiSdk('ai, Responses', createOpenAI({ baseURL, apiKey }))
}

async function aiSdk(name: string, provider: (model: string) => unknown): Promise<Sdk> {
  const { generateText, streamText, jsonSchema, tool, stepCountIs, Output } =
    await clientPackage('ai')
  const request = (ask: Ask) => ({
    model: provider(ask.model),
    messages: [
      {
        role: 'user',
        content: [
          { type: 'text', text: ask.prompt },
          ...(ask.image ? [{ type: 'file', mediaType: 'image/png', data: ask.image }] : []),
        ],
      },
    ],
    ...(ask.tools && {
      tools: Object.fromEntries(
        ask.tools.map((one) => [
          one,
          tool({ inputSchema: jsonSchema(PARAMETERS), execute: async () => resultOf(one) }),
        ])
      ),
    }),
    ...{ stopWhen: stepCountIs(MOST_STEPS), abortSignal: ask.signal },
    maxRetries: ask.retries ?? 0,
  })
  const told = (text: string, usage: any) => ({
    ...{ text, usage: { input: usage.inputTokens ?? 0, output: usage.outputTokens ?? 0 } },
  })
  return {
    name,
    statusOf: (error) => (error.lastError ?? error).statusCode,
    async ask(ask) {
      const { text, usage } = await generateText(request(ask))
      return told(text, usage)
    },
    async stream(ask, onText) {
      let failure: unknown
      const onError = ({ error }: { error: unknown }) => (failure = error)
      const result = streamText({ ...request(ask), onError })
      let text = ''
      for await (const piece of result.textStream) {
        onText?.(piece)
        text += piece
      }
      if (failure) throw failure
      ask.signal?.throwIfAborted()
      return told(text, await result.usage)
    },
    async object(ask) {
      const output = Output.object({ schema: jsonSchema(CITY) })
      return (await generateText({ ...request(ask), output })).output
    },
  }
}
