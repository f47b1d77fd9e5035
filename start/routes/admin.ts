import router from '@adonisjs/core/services/router'
import { inviteValidator, userChangesValidator, usersQueryValidator } from '#validators/users'
import { oidcClientValidator, roleTrialValidator } from '#validators/oidc'
import { checklistValidator } from '#validators/onboarding'
import { auditFilterValidator, auditQueryValidator } from '#validators/audit'
import { periodValidator } from '#validators/usage'
import { agentQueryValidator } from '#validators/admin_agents'
import { pageValidator } from '#validators/identity'
import { systemAgentChangesValidator, systemAgentValidator } from '#validators/system_agents'
import { api } from '#start/kernel'

const About = () => import('#controllers/api/admin/about_controller')
const Agents = () => import('#controllers/api/admin/agents_controller')
const Audit = () => import('#controllers/api/admin/audit_controller')
const Checklist = () => import('#controllers/api/admin/checklist_controller')
const Fleet = () => import('#controllers/api/admin/fleet_controller')
const Oidc = () => import('#controllers/api/admin/oidc_controller')
const Runtimes = () => import('#controllers/api/admin/runtimes_controller')
const Settings = () => import('#controllers/api/admin/settings_controller')
const SystemAgents = () => import('#controllers/api/admin/system_agents_controller')
const Usage = () => import('#controllers/api/admin/usage_controller')
const Users = () => import('#controllers/api/admin/users_controller')

router
  .group(() => {
    router.get('/settings', [Settings, 'index']).as('settings.index')
    router.patch('/settings', [Settings, 'update']).as('settings.update').confirmed()

    router.get('/auth/oidc', [Oidc, 'show']).as('oidc.show')
    router
      .put('/auth/oidc', [Oidc, 'update'])
      .as('oidc.update')
      .takes(oidcClientValidator)
      .confirmed()
    router.post('/auth/oidc/test', [Oidc, 'test']).as('oidc.test')
    router.post('/auth/oidc/role', [Oidc, 'role']).as('oidc.role').takes(roleTrialValidator)

    router.get('/users', [Users, 'index']).as('users.index').asks(usersQueryValidator)
    router.post('/users/invite', [Users, 'invite']).as('users.invite').takes(inviteValidator)
    router.get('/users/:id', [Users, 'show']).as('users.show')
    router.patch('/users/:id', [Users, 'update']).as('users.update').takes(userChangesValidator)
    router.post('/users/:id/deactivate', [Users, 'deactivate']).as('users.deactivate')
    router.post('/users/:id/reactivate', [Users, 'reactivate']).as('users.reactivate')
    router.post('/users/:id/invitation', [Users, 'renewInvitation']).as('users.renewInvitation')
    router.delete('/users/:id/invitation', [Users, 'revokeInvitation']).as('users.revokeInvitation')

    router.get('/audit', [Audit, 'index']).as('audit.index').asks(auditQueryValidator)
    router
      .get('/audit/export', [Audit, 'export'])
      .as('audit.export')
      .asks(auditFilterValidator)
      .confirmed()
    router.get('/runtimes', [Runtimes, 'index']).as('runtimes.index')
    router.get('/usage', [Usage, 'index']).as('usage.index').asks(periodValidator)

    router.get('/fleet', [Fleet, 'show']).as('fleet.show')
    router.get('/fleet/events', [Fleet, 'events']).as('fleet.events')
    router.get('/agents', [Agents, 'index']).as('agents.index').asks(agentQueryValidator)
    router.post('/agents/:id/stop', [Agents, 'stop']).as('agents.stop')
    router.post('/agents/:id/restart', [Agents, 'restart']).as('agents.restart')

    router.get('/about', [About, 'show']).as('about.show')
    router.get('/checklist', [Checklist, 'show']).as('checklist.show')
    router
      .patch('/checklist', [Checklist, 'update'])
      .as('checklist.update')
      .takes(checklistValidator)
    router
      .get('/system-agents', [SystemAgents, 'index'])
      .as('systemAgents.index')
      .asks(pageValidator)
    router
      .post('/system-agents', [SystemAgents, 'store'])
      .as('systemAgents.store')
      .takes(systemAgentValidator)
    router
      .patch('/system-agents/:id', [SystemAgents, 'update'])
      .as('systemAgents.update')
      .takes(systemAgentChangesValidator)
    router.delete('/system-agents/:id', [SystemAgents, 'destroy']).as('systemAgents.destroy')
    router.get('/system-agents/:id/logs', [SystemAgents, 'logs']).as('systemAgents.logs')
    router.post('/system-agents/:id/start', [SystemAgents, 'start']).as('systemAgents.start')
    router.post('/system-agents/:id/stop', [SystemAgents, 'stop']).as('systemAgents.stop')
    router.post('/system-agents/:id/restart', [SystemAgents, 'restart']).as('systemAgents.restart')
  })
  .prefix('/api/v1/admin')
  .as('admin')
  .access('admin')
  .use(api)
