/** The pages of the frame, by who may open them. */
export const MEMBER_PAGES = [
  '/chat',
  '/tasks',
  '/settings/providers',
  '/settings/agent',
  '/settings/knowledge',
  '/settings/tokens',
  '/settings/sessions',
  '/settings/appearance',
  '/docs',
  '/docs/operations',
  '/docs/runtimes',
]

export const ADMIN_PAGES = [
  '/admin/overview',
  '/admin/users',
  '/admin/authentication',
  '/admin/agents',
  '/admin/system-agents',
  '/admin/runtime',
  '/admin/security',
  '/admin/settings',
  '/admin/audit',
  '/admin/about',
]

export const SIZES = {
  wide: { width: 1440, height: 900 },
  narrow: { width: 390, height: 844 },
} as const

/** A window of 1280 px that is zoomed in to 400 %: nobody needs less. */
export const NARROWEST = { width: 320, height: 256 }
