import { EventSourceParserStream } from 'eventsource-parser/stream'

/** Milliseconds that any single answer may take. */
const DEADLINE_MS = 300_000

interface Sent {
  event: string
  data: string
}

/** Opens a stream of server-sent events, and yields them as they arrive. */
export async function* eventsOf(url: string, init: RequestInit): AsyncGenerator<Sent> {
  const response = await fetch(url, { ...init, signal: AbortSignal.timeout(DEADLINE_MS) })
  if (!response.ok) throw new Error(`${url} answered ${response.status}: ${await response.text()}`)
  const events = response
    .body!.pipeThrough(new TextDecoderStream() as never)
    .pipeThrough(new EventSourceParserStream())
  for await (const { event, data } of events as unknown as AsyncIterable<Partial<Sent>>) {
    yield { event: event ?? 'message', data: data ?? '' }
  }
}

/**
 * Reads a stream to its end, and calls `seen` at the first event that `wanted` accepts.
 *
 * @throws if there is none, with the last event
 */
export async function firstOf(
  events: AsyncIterable<Sent>,
  wanted: (sent: Sent) => boolean,
  seen: () => void
): Promise<void> {
  let found = false
  let last: Sent | null = null
  for await (const sent of events) {
    last = sent
    if (found || !wanted(sent)) continue
    found = true
    seen()
  }
  if (!found) throw new Error(`The stream ended without it: ${JSON.stringify(last)}`)
}
