import type { ProfileSections } from '#openclaw/openclaw_document'

/**
 * All of OpenClaw: tools that act, reminders, memory, and the browser if one is installed. Plugins load on
 * demand, so there is no allow list.
 */
export function fullProfile(control: string): ProfileSections {
  return {
    plugins: { entries: { [control]: { enabled: true } } },
    /** The only guard against a model that repeats the same call. */
    tools: { profile: 'full', toolSearch: false, loopDetection: { enabled: true } },
  }
}
