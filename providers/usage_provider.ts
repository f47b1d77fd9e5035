import type { ApplicationService } from '@adonisjs/core/types'
import type { Registry } from 'prom-client'
import type { UsageMeter } from '#usage/usage_meter'
import type { UsageReport } from '#usage/usage_report'

declare module '@adonisjs/core/types' {
  interface ContainerBindings {
    'usage.meter': UsageMeter
    'usage.report': UsageReport
    'metrics.process': Registry
  }
}

/** Registers the usage meter and its reports. */
export default class UsageProvider {
  #meter: UsageMeter | null = null

  constructor(protected app: ApplicationService) {}

  register() {
    const { container } = this.app
    container.singleton('usage.meter', async (resolver) => {
      const { systemClock } = await import('#timing/clock')
      const { UsageMeter } = await import('#usage/usage_meter')
      const logger = await resolver.make('logger')
      this.#meter = new UsageMeter({ clock: systemClock, logger })
      return this.#meter
    })
    container.singleton('metrics.process', async () => {
      const { processMetrics } = await import('#metrics/process_metrics')
      return processMetrics()
    })
    container.singleton('usage.report', async () => {
      const { UsageReport } = await import('#usage/usage_report')
      return new UsageReport()
    })
  }

  /**
   * Providers shut down in reverse order: this runs after all users of the meter, and before the
   * database closes.
   */
  async shutdown() {
    await this.#meter?.close()
  }
}
