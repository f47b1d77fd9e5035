import type { usePage } from '@inertiajs/vue3'
import type { MessageKey } from '~/locales'

/** Server permissions by name; see `permissions.ts` there. */
export type Permission = keyof PageProps['can']
type PageProps = ReturnType<typeof usePage>['props']

export interface PageEntry {
  key: MessageKey
  href: string
  icon: string
  /** Permission required to see the page. */
  needs?: Permission
}

/** All pages of the frame, in order; the side bar and the palette share this list. */
export const CHAT: PageEntry = { key: 'nav.chat', href: '/chat', icon: 'i-lucide-message-circle' }

export const TASKS: PageEntry = { key: 'nav.tasks', href: '/tasks', icon: 'i-lucide-list-checks' }

export const DOCS: PageEntry = { key: 'nav.docs', href: '/docs', icon: 'i-lucide-book-open' }

export const SETTINGS: PageEntry[] = [
  { key: 'nav.providers', href: '/settings/providers', icon: 'i-lucide-brain' },
  { key: 'nav.agent', href: '/settings/agent', icon: 'i-lucide-bot' },
  { key: 'nav.knowledge', href: '/settings/knowledge', icon: 'i-lucide-lightbulb' },
  { key: 'nav.tokens', href: '/settings/tokens', icon: 'i-lucide-key-round' },
  { key: 'nav.sessions', href: '/settings/sessions', icon: 'i-lucide-monitor-smartphone' },
  { key: 'nav.appearance', href: '/settings/appearance', icon: 'i-lucide-palette' },
]

const ADMIN: PageEntry[] = [
  { key: 'nav.overview', href: '/admin/overview', needs: 'seeOperation', icon: 'i-lucide-gauge' },
  { key: 'nav.users', href: '/admin/users', needs: 'manageUsers', icon: 'i-lucide-users' },
  {
    key: 'nav.authentication',
    href: '/admin/authentication',
    needs: 'manageSettings',
    icon: 'i-lucide-fingerprint',
  },
  { key: 'nav.agents', href: '/admin/agents', needs: 'manageAgents', icon: 'i-lucide-boxes' },
  {
    key: 'nav.systemAgents',
    href: '/admin/system-agents',
    needs: 'manageAgents',
    icon: 'i-lucide-server-cog',
  },
  { key: 'nav.runtime', href: '/admin/runtime', needs: 'manageSettings', icon: 'i-lucide-cpu' },
  {
    key: 'nav.security',
    href: '/admin/security',
    needs: 'manageSettings',
    icon: 'i-lucide-shield',
  },
  {
    key: 'nav.adminSettings',
    href: '/admin/settings',
    needs: 'manageSettings',
    icon: 'i-lucide-sliders-horizontal',
  },
  { key: 'nav.audit', href: '/admin/audit', needs: 'readAudit', icon: 'i-lucide-scroll-text' },
  { key: 'nav.about', href: '/admin/about', needs: 'seeOperation', icon: 'i-lucide-info' },
]

/** Admin pages that the user may open. */
export const administration = (can: PageProps['can']) =>
  ADMIN.filter(({ needs }) => needs === undefined || can[needs])
