import type { HttpContext } from '@adonisjs/core/http'
import app from '@adonisjs/core/services/app'
import { trialMail } from '#mail/messages'
import { mailTrialValidator } from '#validators/mail'

/** `/api/v1/admin/mail`: trying out whether mail goes. That it does not is a result (200), not an error. */
export default class AdminMailController {
  async test({ request }: HttpContext) {
    const { to } = await request.validateUsing(mailTrialValidator)
    const mailer = await app.container.make('mail.mailer')
    return { data: await mailer.send(trialMail(to)) }
  }
}
