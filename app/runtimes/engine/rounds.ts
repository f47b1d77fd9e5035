import { setTimeout as after } from 'node:timers/promises'
import { RuntimeError } from '#runtimes/errors'

/** Limit of rounds, in case others keep changing an object of the same name. */
const MOST_ROUNDS = 8
/** Pause for another process to finish its step. */
const PAUSE_MS = 25

/**
 * Takes steps towards a state that other processes may work on as well: each round looks afresh, and returns null to
 * request another one.
 *
 * @param kind what has the name, in the plural: "containers"
 * @throws RuntimeError after too many rounds, what a round throws, the signal's reason
 */
export async function inRounds<Value>(
  { name, kind, signal }: { name: string; kind: string; signal: AbortSignal },
  round: () => Promise<Value | null>
): Promise<Value> {
  for (let count = 0; count < MOST_ROUNDS; count++) {
    await after(count * PAUSE_MS, undefined, { signal }).catch(() => {})
    signal.throwIfAborted()
    const value = await round()
    if (value !== null) return value
  }
  throw new RuntimeError('internal', `${name} changes while it is being started.`, {
    help: `See which other process makes, changes or removes ${kind} of this name.`,
  })
}
