/**
 * The pages. They are served without data: each loads it from the API, so a page can never show more
 * than the API reveals.
 */
import router from '@adonisjs/core/services/router'
import { pages } from '#start/kernel'

const Home = () => import('#controllers/pages/home_controller')
const Login = () => import('#controllers/pages/login_controller')

router
  .group(() => {
    router.on('/onboarding').renderInertia('onboarding/index', {}).as('page.onboarding')
  })
  .access('onboarding')
  .use(pages)

router
  .group(() => {
    router.get('/login', [Login]).as('page.login')
    router.on('/invitations/:token').renderInertia('auth/invitation', {}).as('page.invitation')
  })
  .access('anyone')
  .use(pages)

router
  .group(() => {
    router.get('/', [Home]).as('page.home')
    router.on('/chat/:conversation?').renderInertia('chat/index', {}).as('page.chat')
    router.on('/tasks').renderInertia('tasks/index', {}).as('page.tasks')
    router.on('/docs/:chapter?').renderInertia('docs/index', {}).as('page.docs')
    router.on('/settings').redirectToPath('/settings/providers').as('page.settings')
    router.on('/settings/providers').renderInertia('settings/providers', {}).as('page.providers')
    router.on('/settings/agent').renderInertia('settings/agent', {}).as('page.agent')
    router.on('/settings/knowledge').renderInertia('settings/knowledge', {}).as('page.knowledge')
    router.on('/settings/tokens').renderInertia('settings/tokens', {}).as('page.tokens')
    router.on('/settings/sessions').renderInertia('settings/sessions', {}).as('page.sessions')
    router.on('/settings/appearance').renderInertia('settings/appearance', {}).as('page.appearance')
  })
  .access('signedIn')
  .use(pages)

router
  .group(() => {
    router.on('/').redirectToPath('/admin/overview').as('page.admin').permission('seeOperation')
    router
      .on('/overview')
      .renderInertia('admin/overview', {})
      .as('page.admin.overview')
      .permission('seeOperation')
    router
      .on('/users')
      .renderInertia('admin/users', {})
      .as('page.admin.users')
      .permission('seeUsers')
    router
      .on('/authentication')
      .renderInertia('admin/authentication', {})
      .as('page.admin.authentication')
      .permission('manageSettings')
    router
      .on('/agents')
      .renderInertia('admin/agents', {})
      .as('page.admin.agents')
      .permission('manageAgents')
    router
      .on('/system-agents')
      .renderInertia('admin/system_agents', {})
      .as('page.admin.system')
      .permission('manageAgents')
    router
      .on('/runtime')
      .renderInertia('admin/runtime', {})
      .as('page.admin.runtime')
      .permission('manageSettings')
    router
      .on('/security')
      .renderInertia('admin/security', {})
      .as('page.admin.security')
      .permission('manageSettings')
    router
      .on('/settings')
      .renderInertia('admin/settings', {})
      .as('page.admin.settings')
      .permission('manageSettings')
    router
      .on('/audit')
      .renderInertia('admin/audit', {})
      .as('page.admin.audit')
      .permission('readAudit')
    router
      .on('/about')
      .renderInertia('admin/about', {})
      .as('page.admin.about')
      .permission('seeOperation')
  })
  .prefix('/admin')
  .use(pages)
