/** What the model says: text, or calls of tools. */
export type Said = { text: string } | { calls: { name: string; args?: object }[] }

/** What the model does with a call: speak, begin to speak and fall silent, call tools, or fail. */
export type Turn =
  Said | { begins: string } | { status: number; body: object; headers?: Record<string, string> }

/** A request as it reached the service, in the shape of either of OpenAI's chat APIs. */
export interface ModelBody {
  model: string
  stream?: boolean
  messages: { role: string; content: unknown; tool_calls?: unknown[] }[]
  tools?: { name?: string; function: { name: string } }[]
  [field: string]: unknown
}

/** Tokens of every answer. */
export const USAGE = { input: 11, output: 7 }

/** The only model of the service. */
export const MODEL = 'parrot-1'
