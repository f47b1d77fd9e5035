import '~/css/app.css'
import ui from '@nuxt/ui/vue-plugin'
import { createApp, h, type DefineComponent } from 'vue'
import { createInertiaApp } from '@inertiajs/vue3'
import App from '@nuxt/ui/components/App.vue'
import { t } from '~/locales'
import { keepHistoryToItsUser } from '~/own_history'

/** Pages without the side bar. */
const PLAIN = /^(onboarding|auth|errors)\//

const pages = import.meta.glob<{ default: DefineComponent }>('./pages/**/*.vue')

/** Texts that a part of the pages needs, by how their names begin. */
const TEXTS: Record<string, () => Promise<unknown>> = {
  'admin': () => import('~/locales/admin'),
  'chat': () => import('~/locales/chat'),
  'settings': () => import('~/locales/settings'),
  'tasks': () => import('~/locales/knowledge'),
  'settings/knowledge': () => import('~/locales/knowledge'),
}

const textsOf = (name: string) => Promise.all([TEXTS[name.split('/')[0]]?.(), TEXTS[name]?.()])

/** Loads each layout with the first page that needs it. */
const layoutOf = (name: string) =>
  PLAIN.test(name) ? import('~/layouts/plain_layout.vue') : import('~/layouts/app_layout.vue')

keepHistoryToItsUser()

createInertiaApp({
  title: (title) => (title ? `${title} · ${t('product')}` : t('product')),
  async resolve(name) {
    const load = pages[`./pages/${name}.vue`]
    if (!load) throw new Error(`Page not found: ${name}`)
    const [page, layout] = await Promise.all([load(), layoutOf(name), textsOf(name)])
    return Object.assign(page.default, { layout: layout.default })
  },
  setup({ el, App: Page, props, plugin }) {
    createApp({
      render: () => h(App, { toaster: { position: 'bottom-right' } }, () => h(Page, props)),
    })
      .use(plugin)
      .use(ui)
      .mount(el)
  },
  progress: { color: 'var(--ui-primary)', showSpinner: false },
})
