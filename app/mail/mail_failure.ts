import { hasCode } from '#drivers/error_code'

/** Reasons why a mail was not sent: a closed list. */
export const MAIL_FAILURES = [
  'not_set_up',
  'blocked_address',
  'unreachable',
  'timeout',
  'insecure',
  'unauthorized',
  'sender_refused',
  'recipient_refused',
  'too_large',
  'rate_limited',
  'refused',
] as const
export type MailFailureReason = (typeof MAIL_FAILURES)[number]

export interface MailFailure {
  reason: MailFailureReason
  /** A sentence for a person, without secrets. */
  message: string
  hint: string
}

const WORDS: Record<MailFailureReason, Omit<MailFailure, 'reason'>> = {
  not_set_up: {
    message: 'Mail is not set up.',
    hint: 'Name a mail server and a sender under Administration → Settings.',
  },
  blocked_address: {
    message: 'The mail server is in a network that Mosaic does not call.',
    hint: 'Allow its range under Administration → Security.',
  },
  unreachable: {
    message: 'The mail server cannot be reached.',
    hint: 'Check its name and its port.',
  },
  timeout: {
    message: 'The mail server takes too long to answer.',
    hint: 'Check its port, and whether it wants TLS from the start.',
  },
  insecure: {
    message: 'Mosaic could not open an encrypted connection to the mail server.',
    hint: 'Check the connection security setting, and that the server’s certificate is valid for its name.',
  },
  unauthorized: {
    message: 'The mail server does not take the name and the password.',
    hint: 'Enter both again. Some services want a password made for programs.',
  },
  sender_refused: {
    message: 'The mail server does not take mail from this sender.',
    hint: 'Check the sender: many servers take mail from addresses of their own alone.',
  },
  recipient_refused: {
    message: 'The mail server does not take mail for this address.',
    hint: 'Check the address. For addresses elsewhere, many servers want a name and a password.',
  },
  too_large: {
    message: 'The mail is larger than the mail server takes.',
    hint: 'Ask its admin for the limit: the mails of Mosaic have a few kilobytes.',
  },
  rate_limited: {
    message: 'The mail server takes no mail from Mosaic just now.',
    hint: 'Try again in a few minutes. If it goes on, ask its admin how much may be sent.',
  },
  refused: {
    message: 'The mail server refuses the mail.',
    hint: 'Look into its log: it may block the address of this machine, or take the mail for spam.',
  },
}

/** By the codes of the SMTP client and of Node. */
const REASONS: Record<string, MailFailureReason> = {
  EAUTH: 'unauthorized',
  ENOAUTH: 'unauthorized',
  ETLS: 'insecure',
  ETIMEDOUT: 'timeout',
  ETIMEOUT: 'timeout',
  ECONNECTION: 'unreachable',
  ECONNREFUSED: 'unreachable',
  ECONNRESET: 'unreachable',
  ENOTFOUND: 'unreachable',
  EAI_AGAIN: 'unreachable',
  EHOSTUNREACH: 'unreachable',
  ENETUNREACH: 'unreachable',
  EDNS: 'unreachable',
}

/** Messages of TLS libraries that do not trust the peer. */
const UNTRUSTED = /certificate|self.signed|altname|wrong version number|SSL routines/i

export function failureOf(reason: MailFailureReason): MailFailure {
  return { reason, ...WORDS[reason] }
}

/** A failure as the SMTP client throws it. */
interface SmtpError {
  code?: string
  message?: string
  cause?: unknown
  /** The command that the server refused: `MAIL FROM`, `RCPT TO`, `DATA`, `AUTH PLAIN`, … */
  command?: string
  /** The reply, and its three-digit code. */
  response?: string
  responseCode?: number
}

/** Returns why an attempt failed. Unknown failures count as the server's refusal. */
export function toMailFailure(error: unknown): MailFailure {
  if (hasCode(error, 'E_BLOCKED_ADDRESS')) return failureOf('blocked_address')
  const failure = error as SmtpError
  if (failure.responseCode) return refusalOf(failure)
  const { code = '', message = '' } = failure
  if (code !== 'EAUTH' && UNTRUSTED.test(message)) return failureOf('insecure')
  const { code: cause } = (failure.cause ?? {}) as { code?: string }
  if (code === 'ESOCKET') return failureOf(REASONS[cause ?? ''] ?? reasonIn(message))
  return failureOf(REASONS[code] ?? 'refused')
}

/** The RFC 3463 code at the start of a reply: class, subject, detail. */
const ENHANCED = /^\d{3}[ -](\d\.\d{1,3}\.\d{1,3})\b/

/** Classifies a server's refusal. Reports only the digits of its reply: some replies repeat a password. */
function refusalOf({ code, command = '', response = '', responseCode = 0 }: SmtpError) {
  const [, enhanced = ''] = ENHANCED.exec(response) ?? []
  const failure = failureOf(reasonOfRefusal(code, command, responseCode, enhanced, response))
  const digits = [responseCode, enhanced].filter(Boolean).join(' ')
  return { ...failure, message: `${failure.message.slice(0, -1)} (${digits}).` }
}

/** The enhanced code decides first, then the command, then the class alone. */
function reasonOfRefusal(
  code: string | undefined,
  command: string,
  status: number,
  enhanced: string,
  response: string
): MailFailureReason {
  const detail = enhanced.slice(2)
  if (status === 530 && /STARTTLS|TLS/i.test(response)) return 'insecure'
  if (code === 'ETLS') return 'insecure'
  if (status >= 400 && status < 500) return 'rate_limited'
  if (code === 'EAUTH' || status === 530 || status === 535 || status === 538) return 'unauthorized'
  if (detail === '3.4' || detail === '2.3') return 'too_large'
  if (detail === '1.7' || detail === '1.8') return 'sender_refused'
  if (status === 552 && detail !== '2.2') return 'too_large'
  if (command === 'MAIL FROM') return 'sender_refused'
  if (command === 'RCPT TO') return 'recipient_refused'
  return 'refused'
}

/** The SMTP client gives every socket failure the same code; the message tells them apart. */
function reasonIn(message: string): MailFailureReason {
  const [code] = /\bE[A-Z_]{4,}\b/.exec(message) ?? []
  return (code && REASONS[code]) || 'unreachable'
}
