import { CodedError } from '#drivers/contract_error'
import type { Settings } from '#settings/settings'

/** The password is never sent to a server that its owner has not confirmed. */
export class E_MAIL_PASSWORD_NEEDED extends CodedError {
  static override status = 422
  static override message =
    'Enter the password again: the stored one belongs to another mail server.'
  static override help = 'Send "mail.password" together with "mail.host".'
  readonly field = 'mail.password'
}

/**
 * Checks a change of settings before it is stored. Otherwise an admin who changes the server could have the
 * password, which Mosaic never shows, sent to their own server.
 *
 * @throws E_MAIL_PASSWORD_NEEDED
 */
export async function checkMailPassword(
  changes: Record<string, unknown>,
  settings: Pick<Settings, 'get'>
): Promise<void> {
  const next = changes['mail.host']
  if (typeof next !== 'string' || 'mail.password' in changes) return
  const moves = next.trim() !== (await settings.get('mail.host'))
  if (moves && (await settings.get('mail.password')) !== null) throw new E_MAIL_PASSWORD_NEEDED()
}
