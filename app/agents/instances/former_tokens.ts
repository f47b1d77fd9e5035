import type { AgentsContext } from '#agents/context'
import type { GatewayAccess } from '#agents/types'
import { TOKEN_TTL_MS } from '#openclaw/agent_tokens'

/**
 * Shuts what a former gateway token has opened. The row has a new one by then, so Mosaic's own doors do not
 * know the former one any more, and the gateway was started with the new one. What is left are devices that
 * were let in with it, and what other copies of Mosaic looked up a moment ago.
 */
export class FormerTokens {
  readonly #context: Pick<AgentsContext, 'clock' | 'copies' | 'doors' | 'logger'>

  constructor(context: Pick<AgentsContext, 'clock' | 'copies' | 'doors' | 'logger'>) {
    this.#context = context
  }

  /**
   * Resolves when no copy of Mosaic takes the former token. Call it once the gateway takes traffic, with the
   * time of the monotonic clock at which the row got the new one.
   */
  async end(gateway: GatewayAccess, renewedAt: number, signal: AbortSignal): Promise<void> {
    const { clock, copies } = this.#context
    void this.#forgetDevices(gateway)
    if (copies.alone) return
    /** A cache keeps up to the last millisecond of its time, that one too. */
    const leftMs = renewedAt + TOKEN_TTL_MS + 1 - clock.elapsed()
    if (leftMs > 0) await clock.wait(leftMs, signal)
  }

  /** Nobody has to wait for it. A gateway that does not do it is asked at the next start. */
  async #forgetDevices(gateway: GatewayAccess): Promise<void> {
    await this.#context.doors.forgetOtherDevices(gateway).catch((error: unknown) => {
      this.#context.logger.info({ err: error }, 'Could not have a gateway forget former devices')
    })
  }
}
