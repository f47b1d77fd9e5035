import type { HttpContext } from '@adonisjs/core/http'
import type { HealthChecks } from '@adonisjs/core/health'
import app from '@adonisjs/core/services/app'

/** `/health/*`: for whoever decides whether this process gets traffic, or is started anew. */
export default class HealthController {
  static #readiness: Promise<HealthChecks> | null = null

  live({ response }: HttpContext) {
    return response.ok({ status: 'ok' })
  }

  async ready({ response }: HttpContext) {
    const checks = await HealthController.#checks()
    const report = await checks.run()
    const told = report.checks.map(({ name, status, message }) => ({ name, status, message }))
    return response
      .status(report.isHealthy ? 200 : 503)
      .send({ status: report.status, checks: told })
  }

  /** Made once, because they keep their last answers. */
  static #checks(): Promise<HealthChecks> {
    this.#readiness ??= import('#installation/readiness').then(({ readinessChecks }) =>
      readinessChecks(app)
    )
    return this.#readiness
  }
}
