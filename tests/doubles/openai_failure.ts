import { APIError } from 'openai'

/** Returns the error that a call of OpenAI's client ends with. */
export async function failureOf(call: Promise<unknown>): Promise<APIError> {
  try {
    await call
  } catch (error) {
    if (error instanceof APIError) return error
    throw error
  }
  throw new Error('It did not fail')
}
