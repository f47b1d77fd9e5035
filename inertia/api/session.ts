import { api } from '~/api/client'

/** Signs in with the local account. The answer sets the session's cookie. */
export const signIn = (username: string, password: string) =>
  api.post<{ redirectTo?: string }>('/session', { username, password })

/** Ends the session. `redirectTo` is the provider's page for signing out, where it has one. */
export const signOut = () => api.delete<{ redirectTo: string } | undefined>('/session')
