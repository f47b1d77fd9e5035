import type { HttpContext } from '@adonisjs/core/http'
import app from '@adonisjs/core/services/app'
import { trialMail } from '#mail/messages'
import { mailTrialValidator } from '#validators/mail'

/** `/api/v1/admin/mail`: sends a test mail. A failure is a result (200), not an error. */
export default class AdminMailController {
  async test({ auth, request }: HttpContext) {
    const { to } = await request.validateUsing(mailTrialValidator)
    const mailer = await app.container.make('mail.mailer')
    const delivery = await mailer.send(trialMail(to))
    const audit = await app.container.make('audit')
    await audit.record({
      actor: auth.user!,
      action: 'mail.tested',
      details: delivery.sent ? { sent: true } : { sent: false, reason: delivery.reason },
      address: request.ip(),
    })
    return { data: delivery }
  }
}
