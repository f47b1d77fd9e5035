import type { ApplicationService } from '@adonisjs/core/types'
import type { Mailer } from '#mail/mailer'

declare module '@adonisjs/core/types' {
  interface ContainerBindings {
    'mail.mailer': Mailer
  }
}

/** Registers mail delivery, which follows the current settings. */
export default class MailProvider {
  constructor(protected app: ApplicationService) {}

  register() {
    this.app.container.singleton('mail.mailer', async (resolver) => {
      const { Mailer } = await import('#mail/mailer')
      return new Mailer(await resolver.make('settings'), await resolver.make('logger'))
    })
  }
}
