import { Counter, Gauge, Histogram, Registry } from 'prom-client'
import type { AnswerReceiver } from '#chat/upstream_call'

/**
 * Histogram bounds in seconds: from the first byte of a warm gateway to that of one whose workers had been
 * stopped.
 */
const BUCKETS_SEC = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30]

/** Prometheus metrics of the chat relay in this process. Totals only, without users or agents. */
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
  /** Counted here and told at a scrape, so that each chunk of an answer costs one addition. */
  #openStreams = 0
  #newStreams = 0
  #bytes = 0

  /** `now` in milliseconds, from a monotonic clock. */
  constructor(protected now: () => number = () => performance.now()) {}

  /**
   * Observes an answer on its way to the receiver. Call `ended` when the call is over, whatever its outcome.
   */
  watch(receiver: AnswerReceiver): { receiver: AnswerReceiver; ended: () => void } {
    const beganAt = this.now()
    let isFirst = true
    this.#openStreams++
    this.#newStreams++
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
    return { receiver: watched, ended: () => void this.#openStreams-- }
  }

  /** Prometheus' text format. */
  render(): Promise<string> {
    this.#open.set(this.#openStreams)
    this.#streams.inc(this.#newStreams)
    this.#passed.inc(this.#bytes)
    this.#newStreams = this.#bytes = 0
    return this.#registry.metrics()
  }
}
