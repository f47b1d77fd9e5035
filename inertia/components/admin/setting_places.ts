const SIGN_IN = '/admin/authentication'

/** Pages of the administration by the groups of settings that they show; the rest is on the last one. */
const PAGES: Record<string, string> = {
  oidc: SIGN_IN,
  runtime: '/admin/runtime',
  docker: '/admin/runtime',
  sessions: '/admin/security',
  limits: '/admin/security',
  network: '/admin/security',
}

/** Which page shows a group of settings: the first part of their keys. */
export const pageOf = (group: string) => PAGES[group] ?? '/admin/settings'

/** The address of a setting's own row. Single sign-on has a form of its own. */
export function placeOf(key: string): string {
  const page = pageOf(key.split('.')[0])
  return page === SIGN_IN ? page : `${page}#${key}`
}

/** The runtime whose option a setting is, or null. */
export const runtimeOf = (key: string) => /^runtime\.options\.([^.]+)\./.exec(key)?.[1] ?? null

/** What a setting is called, by its key in the texts. */
export const textOf = (key: string) => `admin.settings.keys.${key.replaceAll('.', '_')}`
