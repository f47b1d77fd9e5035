import { ScriptedModel } from '#tests/e2e/scripted_model'

export { PIXEL } from '#tests/doubles/png'

/** Who answers: the agent, or the model itself. */
export const TARGETS = { agent: 'openclaw', model: `work/${ScriptedModel.MODEL}` }

/** A failure of a service that asks for a moment. */
export const busy = (status: number) => ({
  ...{ status, body: { error: { message: 'Busy.' } }, headers: { 'retry-after': '1' } },
})

/** A question for a model or agent. */
export interface Ask {
  model: string
  prompt: string
  /** A data: URL of an image to look at. */
  image?: string
  /** Names of tools that the client offers and runs; each results in `resultOf(name)`. */
  tools?: string[]
  signal?: AbortSignal
  /** How often the client tries again. Default: never. */
  retries?: number
}

export interface Told {
  text: string
  /** Tokens, as the client reports them. */
  usage: { input: number; output: number }
}

/** One of the clients that people write programs with, driven the way its documentation says. */
export interface Sdk {
  readonly name: string
  ask(ask: Ask): Promise<Told>
  /** As `ask`; calls back with each piece of text. */
  stream(ask: Ask, onText?: (text: string) => void): Promise<Told>
  /** Asks for an object with the text `city`, by JSON Schema. */
  object(ask: Ask): Promise<unknown>
  /** Returns the HTTP status that an error of this client carries. */
  statusOf(error: any): number | undefined
}

export interface Connection {
  baseURL: string
  apiKey: string
}

/** Returns the result of a client's tool. */
export const resultOf = (name: string) => `result of ${name}`

/** The input of every tool. */
export const PARAMETERS = {
  type: 'object',
  properties: { path: { type: 'string' } },
  required: ['path'],
  additionalProperties: false,
}

/** What `object` asks for. */
export const CITY = {
  type: 'object',
  properties: { city: { type: 'string' } },
  required: ['city'],
  additionalProperties: false,
}
