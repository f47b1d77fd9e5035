/** Longest silence of an event stream in milliseconds. Mosaic sends something every 15 seconds. */
const SILENCE_MS = 45_000

/**
 * Calls `act` once a stream has sent none of these events for too long: its connection may have died, which the browser
 * does not notice. The returned function ends the watch.
 */
export function onSilence(source: EventSource, events: string[], act: () => void): () => void {
  let timer: ReturnType<typeof setTimeout>
  const hear = () => {
    clearTimeout(timer)
    timer = setTimeout(act, SILENCE_MS)
  }
  for (const event of ['open', ...events]) source.addEventListener(event, hear)
  hear()
  return () => clearTimeout(timer)
}
