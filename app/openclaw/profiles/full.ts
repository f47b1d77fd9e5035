import type { MemorySearch, ProfileSections } from '#openclaw/openclaw_document'

/**
 * All of OpenClaw: tools that act, reminders, memory, and the browser if one is installed. Plugins load on
 * demand, so there is no allow list.
 *
 * `search` searches the agent's notes by meaning; without it, OpenClaw searches them by words.
 */
export function fullProfile(control: string, search?: MemorySearch): ProfileSections {
  return {
    plugins: { entries: { [control]: { enabled: true } } },
    /** The only guard against a model that repeats the same call. */
    tools: { profile: 'full', toolSearch: false, loopDetection: { enabled: true } },
    ...(search && { memory: { search } }),
  }
}
