import { family, Histogram } from '#metrics/prometheus'
import type { AnswerReceiver } from '#chat/upstream_call'

/** Upper bounds in seconds: from a warm gateway's first byte to that of one whose workers slept. */
const BUCKETS_SEC = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30]

/** Counts what passes the chat relay in this process, for Prometheus. Sums alone: whose it is stays out. */
export class RelayMetrics {
  readonly #firstByte = new Histogram(
    'mosaic_relay_first_byte_seconds',
    'From a message at the gateway to the first byte of its answer.',
    BUCKETS_SEC
  )
  #open = 0
  #streams = 0
  #bytes = 0

  /** `now` in milliseconds, of a clock that only goes on. */
  constructor(protected now: () => number = () => performance.now()) {}

  /** Watches an answer on its way to the receiver. Call `ended` when the call is over, however it was. */
  watch(receiver: AnswerReceiver): { receiver: AnswerReceiver; ended: () => void } {
    const beganAt = this.now()
    let isFirst = true
    this.#open++
    this.#streams++
    const watched: AnswerReceiver = {
      begin: (status, headers, flow) => receiver.begin(status, headers, flow),
      receive: (chunk) => {
        if (isFirst) this.#firstByte.observe(this.now() - beganAt)
        isFirst = false
        this.#bytes += chunk.length
        receiver.receive(chunk)
      },
      end: () => receiver.end(),
    }
    return { receiver: watched, ended: () => void this.#open-- }
  }

  /** Prometheus' text format. */
  render(): string {
    const lines = [
      ...family('mosaic_relay_streams', 'gauge', 'Answers on their way through the relay.'),
      `mosaic_relay_streams ${this.#open}`,
      ...family('mosaic_relay_streams_total', 'counter', 'Messages that the relay sent on.'),
      `mosaic_relay_streams_total ${this.#streams}`,
      ...family('mosaic_relay_bytes_total', 'counter', 'Bytes of answers that passed the relay.'),
      `mosaic_relay_bytes_total ${this.#bytes}`,
      ...this.#firstByte.render(),
    ]
    return `${lines.join('\n')}\n`
  }
}
