import { EventSourceParserStream } from 'eventsource-parser/stream'

export interface ReadEvent {
  event: string
  data: any
}

/** Reads server-sent events one at a time, like a page. */
export class EventReader {
  readonly #controller: AbortController
  readonly #events: ReadableStreamDefaultReader<{ event?: string; data: string }>

  private constructor(
    readonly contentType: string,
    controller: AbortController,
    body: ReadableStream<Uint8Array>
  ) {
    this.#controller = controller
    this.#events = body
      .pipeThrough(new TextDecoderStream() as never)
      .pipeThrough(new EventSourceParserStream())
      .getReader()
  }

  /** Rejects unless the status is 200. */
  static async open(path: string, headers: Record<string, string>): Promise<EventReader> {
    const controller = new AbortController()
    const response = await fetch(`http://${process.env.HOST}:${process.env.PORT}${path}`, {
      headers,
      signal: controller.signal,
    })
    if (response.status !== 200) {
      controller.abort()
      throw new Error(`Answered ${response.status}`)
    }
    return new EventReader(response.headers.get('content-type')!, controller, response.body!)
  }

  async next(): Promise<ReadEvent> {
    const { value, done } = await this.#events.read()
    if (done) throw new Error('The stream has ended')
    return { event: value.event ?? 'message', data: JSON.parse(value.data) }
  }

  /** Disconnects, like a closed page. */
  async close(): Promise<void> {
    await this.#events.cancel()
    this.#controller.abort()
  }
}
