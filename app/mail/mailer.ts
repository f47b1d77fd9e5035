import { isIP } from 'node:net'
import { createTransport } from 'nodemailer'
import type { Settings } from '#settings/settings'
import { checkedAddress, mailServer, type MailServer } from '#mail/mail_server'
import { failureOf, toMailFailure, type MailFailure } from '#mail/mail_failure'

/** Milliseconds for connection, greeting and replies, while a person waits. */
const TIMEOUTS = { connectionTimeout: 5000, greetingTimeout: 5000, socketTimeout: 10_000 }

export interface Mail {
  to: string
  subject: string
  /** Plain text: opening the mail fetches nothing. */
  text: string
}

/** Result of sending a mail. A server's refusal is a result, not an error. */
export type Delivery = { sent: true } | ({ sent: false } & MailFailure)

interface MailerLogger {
  warn(details: object, message: string): void
}

/** Sends mail through the configured server. One connection per mail, because there are few. */
export class Mailer {
  constructor(
    protected settings: Settings,
    protected logger: MailerLogger
  ) {}

  /** Reads no secret, so that a vault that does not answer holds nothing up. */
  async isSetUp(): Promise<boolean> {
    const { settings } = this
    return Boolean((await settings.get('mail.host')) && (await settings.get('mail.from')))
  }

  /** Tries once, for at most half a minute. Never throws. */
  async send(mail: Mail): Promise<Delivery> {
    try {
      const server = await mailServer(this.settings)
      if (!server) return { sent: false, ...failureOf('not_set_up') }
      await this.#deliver(server, mail)
      return { sent: true }
    } catch (error) {
      const failure = toMailFailure(error)
      const { code, responseCode } = error as { code?: string; responseCode?: number }
      this.logger.warn({ reason: failure.reason, code, responseCode }, 'A mail was not sent')
      return { sent: false, ...failure }
    }
  }

  async #deliver({ host, port, security, credentials, from }: MailServer, mail: Mail) {
    const allowedRanges = await this.settings.get('network.allowedRanges')
    const transport = createTransport({
      host: await checkedAddress(host, allowedRanges),
      port,
      secure: security === 'tls',
      requireTLS: security === 'starttls',
      ignoreTLS: security === 'none',
      /** Checks the certificate against the name, or against the address if there is no name. */
      ...(!isIP(host) && { tls: { servername: host } }),
      ...(credentials && { auth: credentials }),
      ...TIMEOUTS,
      disableFileAccess: true,
      disableUrlAccess: true,
    })
    try {
      await transport.sendMail({ from: { name: 'Mosaic', address: from }, ...mail })
    } finally {
      transport.close()
    }
  }
}
