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

/**
 * Milliseconds within which a reused connection fails if its server had closed it: one round trip, also around the
 * world and on a busy machine. A connection that fails later may have carried the whole call, and a model may be at work.
 */
const STALE_MS = 1000

/**
 * Sends the call, and once more if it was lost: the server closed a kept-alive connection just as it was
 * reused, before anybody could take the call. A call on a fresh connection is never repeated, nor one whose
 * body is no longer kept.
 *
 * @param now milliseconds on the clock of `performance.now()`
 * @throws as undici's `request`
 */
export async function callProvider(
  dispatcher: Dispatcher,
  call: ProviderCall,
  now = () => performance.now()
): Promise<Dispatcher.ResponseData> {
  const { body, signal } = call
  const began = now()
  try {
    return await send(dispatcher, call)
  } catch (error) {
    const mayRepeat = !signal.aborted && (body?.isKept ?? true) && now() - began < STALE_MS
    if (!mayRepeat || !failedOnStanding(error, began)) throw error
    return send(dispatcher, call)
  }
}

async function send(
  dispatcher: Dispatcher,
  { url, body, ...options }: ProviderCall
): Promise<Dispatcher.ResponseData> {
  const answer = await request(url, { ...options, dispatcher, body: body?.open() ?? null })
  body?.release()
  return answer
}
