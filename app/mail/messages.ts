import type { Mail } from '#mail/mailer'

interface InvitationLink {
  to: string
  name: string
  /** The inviting person. */
  by: string
  url: string
  /** Expiry of the link. */
  expiresAt: string
}

export function invitationMail({ to, name, by, url, expiresAt }: InvitationLink): Mail {
  const greeting = name === to ? 'Hello,' : `Hello ${name},`
  return {
    to,
    subject: 'You are invited to Mosaic',
    text: `${greeting}

${by} invites you to Mosaic, which gives you an AI agent of your own. Come in here:

${url}

The link works once, until ${expiresAt}. If you expected no invitation, leave it: nothing happens then.
`,
  }
}

export function trialMail(to: string): Mail {
  return {
    to,
    subject: 'Mosaic can send mail',
    text: 'An admin of Mosaic tried out whether it can send mail. It can.\n',
  }
}
