import type { InstanceTrial } from '#tests/contracts/runtime'
import type { Instance } from '#runtimes/contract'

/** Timeout of a command within an instance, in milliseconds. */
const DEADLINE_MS = 60_000

/**
 * Runs commands within an instance through the double of OpenClaw, which obeys any caller that reaches its
 * gateway.
 */
export const doubleWithin: InstanceTrial = {
  run: (instance, command) => ask(instance, '/run', { command }),
  connect: async (instance, host, port) => {
    const { result } = await ask<{ result: string }>(instance, '/connect', { host, port })
    return result
  },
  takeMemory: async (instance, megabytes) => {
    await ask(instance, '/hog', { megabytes })
  },
}

async function ask<Answer>({ endpoint }: Instance, path: string, body: object): Promise<Answer> {
  const response = await fetch(new URL(path, endpoint), {
    method: 'POST',
    body: JSON.stringify(body),
    signal: AbortSignal.timeout(DEADLINE_MS),
  })
  return (await response.json()) as Answer
}
