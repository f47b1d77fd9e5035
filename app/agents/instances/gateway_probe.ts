import type { Clock } from '#timing/clock'
import { within } from '#timing/deadline'

/** A gateway's state: ready for traffic, up but not ready, or not answering. */
export type GatewayState = 'ready' | 'booting' | 'silent'

/** A booting gateway can keep its only thread busy for a second. */
const STARTUP_TIMEOUT_MS = 2000
/** A gateway at work may answer slowly and still be healthy. */
const HEALTH_TIMEOUT_MS = 5000

/** Checks the health of gateways. Never calls the chat endpoint: each call there creates a session. */
export class GatewayProbe {
  constructor(
    protected clock: Clock,
    protected fetch: typeof globalThis.fetch = globalThis.fetch
  ) {}

  /** Whether the gateway may get traffic. Rejects only with the signal's reason. */
  startup(endpoint: string, signal?: AbortSignal): Promise<GatewayState> {
    return this.#ask(`${endpoint}/startupz`, STARTUP_TIMEOUT_MS, signal)
  }

  /** Whether the gateway is alive. */
  async isAlive(endpoint: string): Promise<boolean> {
    return (await this.#ask(`${endpoint}/healthz`, HEALTH_TIMEOUT_MS)) === 'ready'
  }

  async #ask(url: string, timeoutMs: number, outer?: AbortSignal): Promise<GatewayState> {
    try {
      return await within(this.clock, timeoutMs, outer, async (signal) => {
        const response = await this.fetch(url, { signal, redirect: 'error' })
        await response.body?.cancel()
        return response.ok ? 'ready' : 'booting'
      })
    } catch {
      outer?.throwIfAborted()
      return 'silent'
    }
  }
}
