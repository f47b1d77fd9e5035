import { api } from '~/api/client'

/** Signs in with the local account. The answer sets the session's cookie. */
export const signIn = (username: string, password: string) =>
  api.post<{ redirectTo?: string }>('/session', { username, password })

export const signOut = () => api.delete('/session')
