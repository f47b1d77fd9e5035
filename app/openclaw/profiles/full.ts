import type { ProfileSections } from '#openclaw/openclaw_document'

/**
 * Everything OpenClaw brings: tools that act, reminders, memory, the browser where one is installed.
 * Its plugins load as they are needed, so there is no list of allowed ones.
 */
export function fullProfile(control: string): ProfileSections {
  return {
    plugins: { entries: { [control]: { enabled: true } } },
    /** Nothing else stops a model that repeats the same call. */
    tools: { profile: 'full', toolSearch: false, loopDetection: { enabled: true } },
  }
}
