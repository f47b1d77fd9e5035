import { randomBytes } from 'node:crypto'
import type { Settings } from '#settings/settings'

/** The key of the chain: made once, kept sealed, and the same for every copy of Mosaic. */
export async function auditKey(settings: Settings): Promise<string> {
  const known = await settings.get('audit.key')
  if (known) return known
  await settings.claim('audit.key', randomBytes(32).toString('base64url'))
  return (await settings.get('audit.key'))!
}
