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
  /** Milliseconds until the response headers, and between two chunks of the body. */
  headersTimeout: number
  bodyTimeout: number
}

/** Several idle connections may have been closed meanwhile; three attempts get past most of them. */
const ATTEMPTS = 3

/**
 * Sends the call, and repeats it if it was lost: the server closed a kept-alive connection just as it was
 * reused, before any response. A call on a fresh connection is never repeated, nor one whose body is no
 * longer kept.
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
