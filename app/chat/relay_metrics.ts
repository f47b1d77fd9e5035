import { Counter, Gauge, Registry, type Metric } from 'prom-client'
import type { IncomingHttpHeaders } from 'node:http'
import { PlainHistogram } from '#metrics/plain_histogram'
import type { AnswerReceiver, Flow } from '#chat/upstream_call'

/**
 * Histogram bounds in seconds: from the first byte of a warm gateway to that of one whose workers had been
 * stopped.
 */
const BUCKETS_SEC = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30]

/** Prometheus metrics of the chat relay in this process. Totals only, without users or agents. */
export class RelayMetrics {
  readonly #registry = new Registry()
  readonly #firstByte = new PlainHistogram(
    'mosaic_relay_first_byte_seconds',
    'From a message at the gateway to the first byte of its answer.',
    BUCKETS_SEC
  )
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
  readonly #counts: Counts

  /** `now` in milliseconds, from a monotonic clock. */
  constructor(now: () => number = () => performance.now()) {
    this.#counts = { open: 0, new: 0, bytes: 0, firstByte: this.#firstByte, now }
    this.#registry.registerMetric(this.#firstByte as unknown as Metric)
  }

  /** Observes an answer on its way to the receiver. Call `ended` when the call is over, whatever its outcome. */
  watch(receiver: AnswerReceiver): WatchedAnswer {
    return new WatchedAnswer(receiver, this.#counts)
  }

  /** Prometheus' text format. */
  render(): Promise<string> {
    const counts = this.#counts
    this.#open.set(counts.open)
    this.#streams.inc(counts.new)
    this.#passed.inc(counts.bytes)
    counts.new = counts.bytes = 0
    return this.#registry.metrics()
  }
}

interface Counts {
  open: number
  /** Since the last scrape, as are bytes. */
  new: number
  bytes: number
  /** In seconds. */
  firstByte: PlainHistogram
  now: () => number
}

/** One answer, counted as it passes. */
export class WatchedAnswer implements AnswerReceiver {
  readonly #receiver: AnswerReceiver
  readonly #counts: Counts
  readonly #beganAt: number
  #isSilent = true

  constructor(receiver: AnswerReceiver, counts: Counts) {
    this.#receiver = receiver
    this.#counts = counts
    this.#beganAt = counts.now()
    counts.open++
    counts.new++
  }

  begin(status: number, headers: IncomingHttpHeaders, flow: Flow): void {
    this.#receiver.begin(status, headers, flow)
  }

  receive(chunk: Buffer): void {
    const counts = this.#counts
    if (this.#isSilent) counts.firstByte.observe((counts.now() - this.#beganAt) / 1000)
    this.#isSilent = false
    counts.bytes += chunk.length
    this.#receiver.receive(chunk)
  }

  end(): void {
    this.#receiver.end()
  }

  ended(): void {
    this.#counts.open--
  }
}
