import type { MessageKey } from '~/locales'

export interface PageEntry {
  key: MessageKey
  href: string
  icon: string
}

/** Every page of the frame, by place: the side bar and the palette list the same ones. */
export const CHAT: PageEntry = { key: 'nav.chat', href: '/chat', icon: 'i-lucide-message-circle' }

export const DOCS: PageEntry = { key: 'nav.docs', href: '/docs', icon: 'i-lucide-book-open' }

export const SETTINGS: PageEntry[] = [
  { key: 'nav.providers', href: '/settings/providers', icon: 'i-lucide-brain' },
  { key: 'nav.agent', href: '/settings/agent', icon: 'i-lucide-bot' },
  { key: 'nav.tokens', href: '/settings/tokens', icon: 'i-lucide-key-round' },
  { key: 'nav.sessions', href: '/settings/sessions', icon: 'i-lucide-monitor-smartphone' },
  { key: 'nav.appearance', href: '/settings/appearance', icon: 'i-lucide-palette' },
]

export const ADMIN: PageEntry[] = [
  { key: 'nav.overview', href: '/admin/overview', icon: 'i-lucide-gauge' },
  { key: 'nav.users', href: '/admin/users', icon: 'i-lucide-users' },
  { key: 'nav.authentication', href: '/admin/authentication', icon: 'i-lucide-fingerprint' },
  { key: 'nav.agents', href: '/admin/agents', icon: 'i-lucide-boxes' },
  { key: 'nav.systemAgents', href: '/admin/system-agents', icon: 'i-lucide-server-cog' },
  { key: 'nav.runtime', href: '/admin/runtime', icon: 'i-lucide-cpu' },
  { key: 'nav.security', href: '/admin/security', icon: 'i-lucide-shield' },
  { key: 'nav.adminSettings', href: '/admin/settings', icon: 'i-lucide-sliders-horizontal' },
  { key: 'nav.audit', href: '/admin/audit', icon: 'i-lucide-scroll-text' },
  { key: 'nav.about', href: '/admin/about', icon: 'i-lucide-info' },
]
