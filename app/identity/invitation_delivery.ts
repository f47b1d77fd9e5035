import type User from '#models/user'
import type { Delivery, Mailer } from '#mail/mailer'
import { invitationMail } from '#mail/messages'

/** Mails invitation links, if mail is set up. */
export class InvitationDelivery {
  constructor(protected mailer: Pick<Mailer, 'isSetUp' | 'send'>) {}

  /** Returns null if mail is not set up: the admin then passes the link on. Never throws. */
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
