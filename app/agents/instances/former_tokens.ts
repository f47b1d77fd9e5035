import type { AgentsContext } from '#agents/context'
import type { GatewayAccess } from '#agents/types'
import { TOKEN_TTL_MS } from '#openclaw/agent_tokens'

/**
 * Revokes what a former gateway token still opens. By then the row and the gateway have a new token. What is
 * left are devices that were paired with the former one, and the short caches of other replicas of Mosaic.
 */
export class FormerTokens {
  readonly #context: Pick<AgentsContext, 'clock' | 'replicas' | 'gatewayControl' | 'logger'>

  constructor(context: Pick<AgentsContext, 'clock' | 'replicas' | 'gatewayControl' | 'logger'>) {
    this.#context = context
  }

  /**
   * Resolves when no replica of Mosaic takes the former token. Call it once the gateway takes traffic, with the
   * time of the monotonic clock at which the row got the new one.
   */
  async end(gateway: GatewayAccess, renewedAt: number, signal: AbortSignal): Promise<void> {
    const { clock, replicas } = this.#context
    void this.#forgetDevices(gateway)
    if (replicas.alone) return
    /** A cache keeps up to the last millisecond of its time, that one too. */
    const leftMs = renewedAt + TOKEN_TTL_MS + 1 - clock.elapsed()
    if (leftMs > 0) await clock.wait(leftMs, signal)
  }

  /** Nobody has to wait for it. A gateway that does not do it is asked at the next start. */
  async #forgetDevices(gateway: GatewayAccess): Promise<void> {
    await this.#context.gatewayControl.forgetOtherDevices(gateway).catch((error: unknown) => {
      this.#context.logger.info({ err: error }, 'Could not have a gateway forget former devices')
    })
  }
}
