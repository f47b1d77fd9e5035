import { E_BLOCKED_ADDRESS } from '#llm/errors'

/** Why a mail did not go: a closed list. */
export const MAIL_FAILURES = [
  'not_set_up',
  'blocked_address',
  'unreachable',
  'timeout',
  'insecure',
  'unauthorized',
  'refused',
] as const
export type MailFailureReason = (typeof MAIL_FAILURES)[number]

export interface MailFailure {
  reason: MailFailureReason
  /** A sentence for a person, without a secret. */
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
    message: 'No protected connection to the mail server came about.',
    hint: 'Check how it is protected, and that its certificate is valid for its name.',
  },
  unauthorized: {
    message: 'The mail server does not take the name and the password.',
    hint: 'Enter them anew.',
  },
  refused: {
    message: 'The mail server did not take the mail.',
    hint: 'Check the sender: many servers take mail from addresses of their own alone.',
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

/** How a TLS library says that it does not trust whom it talks to. */
const UNTRUSTED = /certificate|self.signed|altname|wrong version number|SSL routines/i

export function failureOf(reason: MailFailureReason): MailFailure {
  return { reason, ...WORDS[reason] }
}

/** What an attempt failed of. What is not known is the server's refusal. */
export function toMailFailure(error: unknown): MailFailure {
  if (error instanceof E_BLOCKED_ADDRESS) return failureOf('blocked_address')
  const { code = '', message = '' } = error as { code?: string; message?: string }
  if (code !== 'EAUTH' && UNTRUSTED.test(message)) return failureOf('insecure')
  const { code: cause } = ((error as Error).cause ?? {}) as { code?: string }
  if (code === 'ESOCKET') return failureOf(REASONS[cause ?? ''] ?? reasonIn(message))
  return failureOf(REASONS[code] ?? 'refused')
}

/** The SMTP client calls every failure of a socket alike; the text names it. */
function reasonIn(message: string): MailFailureReason {
  const [code] = /\bE[A-Z_]{4,}\b/.exec(message) ?? []
  return (code && REASONS[code]) || 'unreachable'
}
