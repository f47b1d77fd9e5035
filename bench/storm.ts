import { setTimeout as after } from 'node:timers/promises'

const READY_MS = 180_000

/** Mosaic's own polling interval, so that neither finds out sooner. */
const ASK_EVERY_MS = 100

/** Waits of the successful ones, in milliseconds. */
export interface Storm {
  ms: number
  waits: number[]
  failures: string[]
}

/** Starts all at the same moment. */
export async function storm(begin: (() => Promise<unknown>)[]): Promise<Storm> {
  const startedAt = performance.now()
  const outcomes = await Promise.allSettled(
    begin.map((work) => work().then(() => performance.now() - startedAt))
  )
  const waits = outcomes.flatMap((outcome) =>
    outcome.status === 'fulfilled' ? [outcome.value] : []
  )
  const failures = outcomes.flatMap((outcome) =>
    outcome.status === 'rejected' ? [String(outcome.reason)] : []
  )
  return { ms: performance.now() - startedAt, waits, failures }
}

/** Waits until a gateway accepts traffic. */
export async function untilReady(url: string): Promise<void> {
  const deadline = performance.now() + READY_MS
  for (;;) {
    const response = await fetch(`${url}/startupz`).catch(() => null)
    await response?.body?.cancel()
    if (response?.ok) return
    if (performance.now() > deadline) throw new Error(`${url} was not ready in time`)
    await after(ASK_EVERY_MS)
  }
}

/** A counting semaphore, first come, first served. */
export class Slots {
  readonly #waiting: (() => void)[] = []
  #free: number

  constructor(free: number) {
    this.#free = free
  }

  async run(work: () => Promise<void>): Promise<void> {
    if (this.#free > 0) this.#free--
    else await new Promise<void>((resolve) => this.#waiting.push(resolve))
    try {
      await work()
    } finally {
      const next = this.#waiting.shift()
      if (next) next()
      else this.#free++
    }
  }
}
