/** Calls Mosaic's API as a script would: access token, JSON in and out. */
export class Api {
  constructor(
    readonly origin: string,
    /** Null: not signed in. */
    readonly token: string | null
  ) {}

  get headers(): Record<string, string> {
    const json = { 'content-type': 'application/json' }
    return this.token ? { ...json, authorization: `Bearer ${this.token}` } : json
  }

  async raw(method: string, path: string, body?: unknown): Promise<Response> {
    return fetch(`${this.origin}${path}`, {
      method,
      headers: this.headers,
      body: body === undefined ? undefined : JSON.stringify(body),
      signal: AbortSignal.timeout(180_000),
    })
  }

  /** Returns the `data` of a response. Any other status throws an error with the whole response. */
  async ask<Data>(method: string, path: string, body?: unknown): Promise<Data> {
    const answer = await this.raw(method, path, body)
    const text = await answer.text()
    if (!answer.ok) throw new Error(`${method} ${path} answered ${answer.status}: ${text}`)
    return (text ? JSON.parse(text).data : undefined) as Data
  }

  /** Sends one message through the page's API and returns all its events, in order. */
  async chat(message: string, conversationId?: string): Promise<ChatEvent[]> {
    const answer = await this.raw('POST', '/api/v1/chat', { message, conversationId })
    return eventsOf(await answer.text())
  }
}

export interface ChatEvent {
  event: string
  data: { text?: string; code?: string; message?: string; hint?: string; conversationId?: string }
}

/** Returns the events of a whole stream, without comments. */
export function eventsOf(text: string): ChatEvent[] {
  return text.split('\n\n').flatMap((block) => {
    const event = /^event: (.+)$/m.exec(block)?.[1]
    const data = /^data: (.+)$/m.exec(block)?.[1]
    return event && data ? [{ event, data: JSON.parse(data) }] : []
  })
}

/** Joins the deltas of a stream. */
export function textOf(events: ChatEvent[]): string {
  return events.map(({ event, data }) => (event === 'delta' ? data.text : '')).join('')
}
