import { setTimeout as after } from 'node:timers/promises'

const DEADLINE_MS = 60_000
const ASK_EVERY_MS = 20

/** Waits until a check returns a value, and returns it. */
export async function until<Value>(
  look: () => Promise<Value | null | undefined | false>,
  withinMs = DEADLINE_MS
): Promise<Value> {
  const deadline = performance.now() + withinMs
  for (;;) {
    const found = await look()
    if (found) return found
    if (performance.now() > deadline) throw new Error('It did not become so in time')
    await after(ASK_EVERY_MS)
  }
}
