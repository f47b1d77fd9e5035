import type { HttpContext } from '@adonisjs/core/http'
import app from '@adonisjs/core/services/app'
import type { sharedLook } from '#installation/readiness'

const RETRY_AFTER_SEC = 5

type Look = ReturnType<typeof sharedLook>

/** `/health/*`: for load balancers and supervisors that route traffic to this process or restart it. */
export default class HealthController {
  static #readiness: Promise<Look> | null = null

  live({ response }: HttpContext) {
    return response.ok({ status: 'ok' })
  }

  async ready({ response }: HttpContext) {
    const unready = () => response.status(503).header('Retry-After', RETRY_AFTER_SEC)
    if (app.isTerminating) {
      const stopping = { name: 'process', status: 'error', message: 'Mosaic is stopping.' }
      return unready().send({ status: 'error', checks: [stopping] })
    }
    const look = await HealthController.#look()
    const report = await look()
    const told = report.checks.map(({ name, status, message }) => ({ name, status, message }))
    return (report.isHealthy ? response : unready()).send({ status: report.status, checks: told })
  }

  /** Created once, because the checks cache their results. */
  static #look(): Promise<Look> {
    this.#readiness ??= import('#installation/readiness')
      .then(async ({ readinessChecks, sharedLook }) => sharedLook(await readinessChecks(app)))
      .catch((error: unknown) => {
        this.#readiness = null
        throw error
      })
    return this.#readiness
  }
}
