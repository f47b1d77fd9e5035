import app from '@adonisjs/core/services/app'
import { examine } from '#console/examination'
import { versions } from '#console/versions'

/** `/api/v1/admin/about`: the running version, its start time, and the findings of `node ace doctor`. */
export default class AdminAboutController {
  async show() {
    const [running, findings] = await Promise.all([versions(app), examine(app)])
    const startedAt = new Date(Date.now() - process.uptime() * 1000).toISOString()
    return { data: { versions: running, startedAt, findings } }
  }
}
