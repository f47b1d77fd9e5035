import { Counter, Gauge, Histogram, Registry } from 'prom-client'
import type { AnswerReceiver } from '#chat/upstream_call'

/** Upper bounds in seconds: from a warm gateway's first byte to that of one whose workers slept. */
const BUCKETS_SEC = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30]

/** Counts what passes the chat relay in this process, for Prometheus. Sums alone: whose it is stays out. */
export class RelayMetrics {
  readonly #registry = new Registry()
  readonly #firstByte = new Histogram({
    name: 'mosaic_relay_first_byte_seconds',
    help: 'From a message at the gateway to the first byte of its answer.',
    buckets: BUCKETS_SEC,
    registers: [this.#registry],
  })
  readonly #open = new Gauge({
    name: 'mosaic_relay_streams',
    help: 'Answers on their way through the relay.',
    registers: [this.#registry],
  })
  readonly #streams = new Counter({
    name: 'mosaic_relay_streams_total',
    help: 'Messages that the relay sent on.',
    registers: [this.#registry],
  })
  readonly #passed = new Counter({
    name: 'mosaic_relay_bytes_total',
    help: 'Bytes of answers that passed the relay.',
    registers: [this.#registry],
  })
  /** Since the last scrape: each piece of an answer costs an addition and no more. */
  #bytes = 0

  /** `now` in milliseconds, of a clock that only goes on. */
  constructor(protected now: () => number = () => performance.now()) {}

  /** Watches an answer on its way to the receiver. Call `ended` when the call is over, however it was. */
  watch(receiver: AnswerReceiver): { receiver: AnswerReceiver; ended: () => void } {
    const beganAt = this.now()
    let isFirst = true
    this.#open.inc()
    this.#streams.inc()
    const watched: AnswerReceiver = {
      begin: (status, headers, flow) => receiver.begin(status, headers, flow),
      receive: (chunk) => {
        if (isFirst) this.#firstByte.observe((this.now() - beganAt) / 1000)
        isFirst = false
        this.#bytes += chunk.length
        receiver.receive(chunk)
      },
      end: () => receiver.end(),
    }
    return { receiver: watched, ended: () => this.#open.dec() }
  }

  /** Prometheus' text format. */
  render(): Promise<string> {
    this.#passed.inc(this.#bytes)
    this.#bytes = 0
    return this.#registry.metrics()
  }
}
