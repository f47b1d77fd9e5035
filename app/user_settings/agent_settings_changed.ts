/**
 * Called after a change of a user's providers or agent settings is stored. `app/agents` then reassembles the
 * documents of the user and of system agents that use one of the user's providers. Most changes leave a
 * document's hash unchanged.
 */
export type SettingsChanged = (change: { userId: string }) => void

declare module '@adonisjs/core/types' {
  interface EventsList {
    'agent:settings_changed': { userId: string }
  }
}
