import { setTimeout as after } from 'node:timers/promises'

/** A look at tasks takes a manager three milliseconds. */
const LOOK_MS = 25

/**
 * Looks again and again until a look returns something but false. A swarm reports no changes of tasks.
 *
 * @returns what the look returned, or null once the time is over
 * @throws the signal's reason, what the look throws
 */
export async function until<Value>(
  look: () => Promise<Value | false>,
  withinMs: number,
  signal?: AbortSignal
): Promise<Value | null> {
  const deadline = performance.now() + withinMs
  for (;;) {
    signal?.throwIfAborted()
    const found = await look()
    if (found !== false) return found
    if (performance.now() > deadline) return null
    await after(LOOK_MS, undefined, { signal }).catch(() => {})
  }
}
