import type { HttpContext } from '@adonisjs/core/http'
import type { HealthChecks } from '@adonisjs/core/health'
import app from '@adonisjs/core/services/app'

const RETRY_AFTER_SEC = 5

/** `/health/*`: for load balancers and supervisors that route traffic to this process or restart it. */
export default class HealthController {
  static #readiness: Promise<HealthChecks> | null = null

  live({ response }: HttpContext) {
    return response.ok({ status: 'ok' })
  }

  async ready({ response }: HttpContext) {
    const unready = () => response.status(503).header('Retry-After', RETRY_AFTER_SEC)
    if (app.isTerminating) {
      const stopping = { name: 'process', status: 'error', message: 'Mosaic is stopping.' }
      return unready().send({ status: 'error', checks: [stopping] })
    }
    const checks = await HealthController.#checks()
    const report = await checks.run()
    const told = report.checks.map(({ name, status, message }) => ({ name, status, message }))
    return (report.isHealthy ? response : unready()).send({ status: report.status, checks: told })
  }

  /** Created once, because the checks cache their results. */
  static #checks(): Promise<HealthChecks> {
    this.#readiness ??= import('#installation/readiness').then(({ readinessChecks }) =>
      readinessChecks(app)
    )
    return this.#readiness
  }
}
