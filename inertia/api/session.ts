import { api } from '~/api/client'

/** Signs in with the local account. The response sets the session cookie. */
export const signIn = (username: string, password: string) =>
  api.post<{ redirectTo?: string }>('/session', { username, password })

/** Ends the session. `redirectTo` is the provider's sign-out page, if it has one. */
export const signOut = () => api.delete<{ redirectTo: string } | undefined>('/session')
