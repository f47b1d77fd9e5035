/**
 * Told after a user's providers or agent settings changed, when the change is stored. Whoever runs
 * agents assembles the documents anew: the user's own, and those of system agents that live on one of
 * the user's providers. Most changes leave a document's hash as it was.
 */
export type SettingsChanged = (change: { userId: string }) => void

declare module '@adonisjs/core/types' {
  interface EventsList {
    'agent:settings_changed': { userId: string }
  }
}
