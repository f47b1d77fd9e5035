import { ENTRY_PREFIX } from '#llm/openclaw_entry'

/**
 * Converts a gateway's model name, `<entry>/<model id>`, to the one in its owner's settings,
 * `<provider>/<model id>`.
 */
export function ownModelName(reference: string): string {
  return reference.startsWith(ENTRY_PREFIX) ? reference.slice(ENTRY_PREFIX.length) : reference
}
