import type { Clock } from '#timing/clock'
import { within } from '#timing/deadline'
import { requestGateway } from '#runtimes/gateway_connections'

/** A gateway's state: ready for traffic, up but not ready, or not answering. */
export type GatewayState = 'ready' | 'booting' | 'silent'

/** A booting gateway can keep its only thread busy for a second. */
const STARTUP_TIMEOUT_MS = 2000
/** A gateway at work may answer slowly and still be healthy. */
const HEALTH_TIMEOUT_MS = 5000

/**
 * Checks the health of gateways. Never calls the chat endpoint: each call there creates a session. Each look has
 * a connection of its own, as the next one comes later than connections are kept.
 */
export class GatewayProbe {
  constructor(protected clock: Clock) {}

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
        const { statusCode, body } = await requestGateway(url, { signal, reset: true })
        body.on('error', () => {}).destroy()
        if (statusCode >= 200 && statusCode < 300) return 'ready'
        return statusCode < 400 ? 'silent' : 'booting'
      })
    } catch {
      outer?.throwIfAborted()
      return 'silent'
    }
  }
}
