import type { AgentsContext } from '#agents/context'
import { within } from '#timing/deadline'
import type { GatewayProbe } from '#agents/instances/gateway_probe'
import { instanceFailure } from '#agents/instances/instance_failure'
import type { Wake } from '#agents/state/wake'
import type { Instance, Observed, RuntimeDriver } from '#runtimes/contract'
import { RuntimeError } from '#runtimes/errors'

/** A gateway takes seconds to boot, so this poll adds little delay at no real cost. */
const POLL_MS = 100
/** Inspecting costs more than probing a port: some engines start a process per call. */
const INSPECT_EVERY_MS = 1000

/** Waits until a booting gateway is ready, and notices if its instance exits first. */
export class GatewayReadiness {
  readonly #context: Pick<AgentsContext, 'clock' | 'settings' | 'timeouts'>
  readonly #probe: GatewayProbe

  constructor(
    context: Pick<AgentsContext, 'clock' | 'settings' | 'timeouts'>,
    probe: GatewayProbe
  ) {
    this.#context = context
    this.#probe = probe
  }

  /** @throws RuntimeError, the reason of the wake's signal */
  async wait(wake: Wake, driver: RuntimeDriver, instance: Instance): Promise<void> {
    const { clock, settings } = this.#context
    const deadline = clock.elapsed() + (await settings.get('agents.bootTimeoutSec')) * 1000
    let inspectAt = clock.elapsed() + INSPECT_EVERY_MS
    for (;;) {
      const state = await this.#probe.startup(instance.endpoint, wake.signal)
      if (state === 'ready') return this.#throwIfImposed(driver, instance)
      if (state === 'booting') wake.tell('booting')

      if (clock.elapsed() >= inspectAt) {
        await this.#throwIfGone(driver, instance)
        inspectAt = clock.elapsed() + INSPECT_EVERY_MS
      }
      if (clock.elapsed() >= deadline) {
        throw new RuntimeError('boot_timeout', `The gateway was ${state} until the deadline.`)
      }
      await clock.wait(POLL_MS, wake.signal)
    }
  }

  /** Throws if the instance has exited. An engine that does not answer proves nothing. */
  async #throwIfGone(driver: RuntimeDriver, instance: Instance): Promise<Observed | undefined> {
    const { clock, timeouts } = this.#context
    const look = within(clock, timeouts.inspectMs, undefined, () => driver.inspect(instance))
    const observed = await look.catch(() => undefined)
    if (observed === null || observed?.status === 'exited') throw instanceFailure(observed)
    return observed
  }

  /** Another program may be answering on the gateway's port. It must not get the token. */
  async #throwIfImposed(driver: RuntimeDriver, instance: Instance): Promise<void> {
    const observed = await this.#throwIfGone(driver, instance)
    if (observed && observed.endpoint === null) {
      throw new RuntimeError('exited_early', 'Another program answers in place of the gateway.')
    }
  }
}
