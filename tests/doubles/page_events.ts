import { createParser } from 'eventsource-parser'

/** Returns the events of a page's stream, with their data parsed. */
export function eventsOf(text: string): { name: string; data: any }[] {
  const events: { name: string; data: any }[] = []
  const parser = createParser({
    onEvent: ({ event, data }) => events.push({ name: event!, data: JSON.parse(data) }),
  })
  parser.feed(text)
  return events
}
