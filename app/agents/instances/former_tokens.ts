import type { AgentsContext } from '#agents/context'
import type { GatewayAccess } from '#agents/types'
import { TOKEN_TTL_MS } from '#openclaw/agent_tokens'

/**
 * Revokes what a former gateway token still grants after the row and the gateway have a new token:
 * devices paired with it, and short-lived caches in other replicas of Mosaic.
 */
export class FormerTokens {
  readonly #context: Pick<AgentsContext, 'clock' | 'replicas' | 'gatewayControl' | 'logger'>

  constructor(context: Pick<AgentsContext, 'clock' | 'replicas' | 'gatewayControl' | 'logger'>) {
    this.#context = context
  }

  /**
   * Resolves when no replica of Mosaic accepts the former token. Call it once the gateway accepts
   * traffic. `renewedAt` is when the row got the new token, on the monotonic clock.
   */
  async end(gateway: GatewayAccess, renewedAt: number, signal: AbortSignal): Promise<void> {
    const { clock, replicas } = this.#context
    void this.#forgetDevices(gateway)
    if (replicas.alone) return
    /** A cache entry is valid through the last millisecond of its lifetime. */
    const leftMs = renewedAt + TOKEN_TTL_MS + 1 - clock.elapsed()
    if (leftMs > 0) await clock.wait(leftMs, signal)
  }

  /** Runs without being awaited. A gateway that fails to do it is asked at its next start. */
  async #forgetDevices(gateway: GatewayAccess): Promise<void> {
    await this.#context.gatewayControl.forgetOtherDevices(gateway).catch((error: unknown) => {
      this.#context.logger.info({ err: error }, 'Could not have a gateway forget former devices')
    })
  }
}
