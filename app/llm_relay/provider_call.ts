import { request, type Dispatcher } from 'undici'
import { failedOnStanding } from '#llm/standing_connections'
import type { ReplayableBody } from '#llm_relay/replayable_body'

/** A call to a provider, ready to be sent. */
export interface ProviderCall {
  url: URL
  method: Dispatcher.HttpMethod
  headers: Headers
  body: ReplayableBody | null
  signal: AbortSignal
  /** Milliseconds until the headers of the answer, and between two pieces of it. */
  headersTimeout: number
  bodyTimeout: number
}

/** Several connections may have been closed while nobody called; a new one is not kept waiting for a fourth. */
const ATTEMPTS = 3

/**
 * Sends the call, and again where nothing took it: the other side closed a connection that had been kept open,
 * as it was used again, and nothing of an answer had come. A call on a connection made for it is never
 * repeated, nor one whose body is not there any more.
 *
 * @throws as undici's `request`
 */
export async function callProvider(
  dispatcher: Dispatcher,
  { url, body, ...options }: ProviderCall
): Promise<Dispatcher.ResponseData> {
  for (let attempt = 1; ; attempt++) {
    const began = performance.now()
    try {
      const answer = await request(url, { ...options, dispatcher, body: body?.open() ?? null })
      body?.release()
      return answer
    } catch (error) {
      const mayRepeat = attempt < ATTEMPTS && !options.signal.aborted && (body?.isKept ?? true)
      if (!mayRepeat || !failedOnStanding(error, began)) throw error
    }
  }
}
