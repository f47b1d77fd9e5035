import type { ProfileSections } from '#openclaw/openclaw_document'

/**
 * A conversation and nothing else: the leanest start and a prompt of 12 KB instead of 60 KB. No
 * reminders, no browser, no memory search, no tools that act.
 */
export function minimalProfile(plugins: string[], control: string): ProfileSections {
  return {
    plugins: {
      allow: [...plugins, control],
      entries: { [control]: { enabled: true } },
      slots: { memory: 'none' },
    },
    tools: { profile: 'minimal', toolSearch: false },
    cron: { enabled: false },
    browser: { enabled: false },
    memory: { search: { enabled: false } },
  }
}
