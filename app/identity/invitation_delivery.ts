import type User from '#models/user'
import type { Delivery, Mailer } from '#mail/mailer'
import { invitationMail } from '#mail/messages'

/** Brings an invitation's link to whom it is for, by mail where that is set up. */
export class InvitationDelivery {
  constructor(protected mailer: Pick<Mailer, 'isSetUp' | 'send'>) {}

  /** Null where mail is not set up: then the link is for the admin to pass on. Never throws. */
  async send(
    { email, name, invitationExpiresAt }: User,
    by: Pick<User, 'name' | 'email'>,
    url: string
  ): Promise<Delivery | null> {
    if (!email || !(await this.mailer.isSetUp())) return null
    const until = invitationExpiresAt!.toUTC().setLocale('en')
    const mail = invitationMail({
      to: email,
      name: name ?? email,
      by: by.name ?? by.email ?? 'An admin',
      url,
      expiresAt: until.toFormat("d LLLL yyyy, HH:mm 'UTC'"),
    })
    return this.mailer.send(mail)
  }
}
