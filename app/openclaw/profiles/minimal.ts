import type { ProfileSections } from '#openclaw/openclaw_document'

/**
 * Conversation only: the leanest start, and a prompt of 12 KB instead of 60 KB. No reminders, browser, memory
 * search, or tools that act.
 *
 * `tools` lists additional tools, as patterns.
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
