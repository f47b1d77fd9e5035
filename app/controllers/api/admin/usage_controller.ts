import type { HttpContext } from '@adonisjs/core/http'
import app from '@adonisjs/core/services/app'
import { periodOf } from '#usage/period'
import { periodValidator } from '#validators/usage'

/** `/api/v1/admin/usage`: daily sums over all users, and wake outcomes. No content, no prompts. */
export default class AdminUsageController {
  async index({ auth, request }: HttpContext) {
    const asked = await periodValidator.validate(request.qs())
    const period = periodOf(asked, Date.now())
    /** Other replicas write their counts within seconds. */
    await (await app.container.make('usage.meter')).flush()
    const report = await app.container.make('usage.report')
    const [usage, wakes, knowledge] = await Promise.all([
      report.usage(period, auth.user!),
      report.wakes(period),
      report.knowledge(auth.user!),
    ])
    return { data: { ...usage, wakes, knowledge } }
  }
}
