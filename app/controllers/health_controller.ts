import type { HttpContext } from '@adonisjs/core/http'
import type { HealthChecks } from '@adonisjs/core/health'
import app from '@adonisjs/core/services/app'

/** `/health/*`: for load balancers and supervisors that route traffic to this process or restart it. */
export default class HealthController {
  static #readiness: Promise<HealthChecks> | null = null

  live({ response }: HttpContext) {
    return response.ok({ status: 'ok' })
  }

  async ready({ response }: HttpContext) {
    if (app.isTerminating) {
      const stopping = { name: 'process', status: 'error', message: 'Mosaic is stopping.' }
      return response.serviceUnavailable({ status: 'error', checks: [stopping] })
    }
    const checks = await HealthController.#checks()
    const report = await checks.run()
    const told = report.checks.map(({ name, status, message }) => ({ name, status, message }))
    return response
      .status(report.isHealthy ? 200 : 503)
      .send({ status: report.status, checks: told })
  }

  /** Created once, because the checks cache their results. */
  static #checks(): Promise<HealthChecks> {
    this.#readiness ??= import('#installation/readiness').then(({ readinessChecks }) =>
      readinessChecks(app)
    )
    return this.#readiness
  }
}
