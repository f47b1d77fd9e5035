const SIGN_IN = '/admin/authentication'

/** Admin pages by the setting groups they show. The last page shows all other groups. */
const PAGES: Record<string, string> = {
  oidc: SIGN_IN,
  runtime: '/admin/runtime',
  docker: '/admin/runtime',
  sessions: '/admin/security',
  limits: '/admin/security',
  network: '/admin/security',
}

/** Returns the page that shows a group, which is the first part of a setting's key. */
export const pageOf = (group: string) => PAGES[group] ?? '/admin/settings'

/** Returns the address of a setting's row. Single sign-on has its own form. */
export function placeOf(key: string): string {
  const page = pageOf(key.split('.')[0])
  return page === SIGN_IN ? page : `${page}#${key}`
}

/** Returns the runtime that a setting is an option of, or null. */
export const runtimeOf = (key: string) => /^runtime\.options\.([^.]+)\./.exec(key)?.[1] ?? null

/** Returns the text key of a setting's label. */
export const textOf = (key: string) => `admin.settings.keys.${key.replaceAll('.', '_')}`
