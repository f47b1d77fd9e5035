import { ENTRY_PREFIX } from '#llm/openclaw_entry'

/** A gateway's name of a model, `<entry>/<model id>`, as its owner's settings name it: `<provider>/<model id>`. */
export function ownModelName(reference: string): string {
  return reference.startsWith(ENTRY_PREFIX) ? reference.slice(ENTRY_PREFIX.length) : reference
}
