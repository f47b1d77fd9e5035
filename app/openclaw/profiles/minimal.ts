import type { ProfileSections } from '#openclaw/openclaw_document'

/**
 * A conversation and nothing else: the leanest start and a prompt of 12 KB instead of 60 KB. No
 * reminders, no browser, no memory search, no tools that act.
 *
 * `tools` names those that it gets beside the conversation, as patterns.
 */
export function minimalProfile(
  plugins: string[],
  control: string,
  tools: string[] = []
): ProfileSections {
  return {
    plugins: {
      allow: [...plugins, control],
      entries: { [control]: { enabled: true } },
      slots: { memory: 'none' },
    },
    tools: {
      profile: 'minimal',
      toolSearch: false,
      ...(tools.length > 0 && { alsoAllow: tools }),
    },
    cron: { enabled: false },
    browser: { enabled: false },
    memory: { search: { enabled: false } },
  }
}
