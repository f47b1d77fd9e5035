import router from '@adonisjs/core/services/router'
import { inviteValidator, userChangesValidator, usersQueryValidator } from '#validators/users'
import { oidcClientValidator, roleTrialValidator } from '#validators/oidc'
import { signInServiceValidator } from '#validators/sign_in_services'
import { checklistValidator } from '#validators/onboarding'
import { auditFilterValidator, auditQueryValidator } from '#validators/audit'
import { mailTrialValidator } from '#validators/mail'
import { periodValidator } from '#validators/usage'
import { agentChangesValidator, agentQueryValidator } from '#validators/admin_agents'
import { settingsDescription } from '#settings/definitions'
import { pageValidator } from '#validators/identity'
import { systemAgentChangesValidator, systemAgentValidator } from '#validators/system_agents'
import { events, file, nothing, one, page } from '#openapi/answer'
import { adminAgent, fleet, logLines, node, systemAgent } from '#openapi/shapes/agents'
import { about, auditEvent, checklist, runtime, setting, usage } from '#openapi/shapes/installation'
import { delivery } from '#openapi/shapes/mail'
import { adminUser, adminUserDetails, invitedUser } from '#openapi/shapes/people'
import { oidcInspection, oidcSetup, roleDecision, signInService } from '#openapi/shapes/sign_in'
import { api } from '#start/kernel'

const About = () => import('#controllers/api/admin/about_controller')
const Agents = () => import('#controllers/api/admin/agents_controller')
const Audit = () => import('#controllers/api/admin/audit_controller')
const Checklist = () => import('#controllers/api/admin/checklist_controller')
const Fleet = () => import('#controllers/api/admin/fleet_controller')
const Mail = () => import('#controllers/api/admin/mail_controller')
const Nodes = () => import('#controllers/api/admin/nodes_controller')
const Oidc = () => import('#controllers/api/admin/oidc_controller')
const Runtimes = () => import('#controllers/api/admin/runtimes_controller')
const Settings = () => import('#controllers/api/admin/settings_controller')
const SignInServices = () => import('#controllers/api/admin/sign_in_services_controller')
const SystemAgents = () => import('#controllers/api/admin/system_agents_controller')
const Usage = () => import('#controllers/api/admin/usage_controller')
const Users = () => import('#controllers/api/admin/users_controller')

router
  .group(() => {
    router
      .get('/settings', [Settings, 'index'])
      .permission('manageSettings')
      .answers(page(setting))
      .asks(pageValidator)
    router
      .patch('/settings', [Settings, 'update'])
      .permission('manageSettings')
      .takes(settingsDescription)
      .answers(page(setting))
      .confirmed()

    router
      .post('/mail/test', [Mail, 'test'])
      .permission('manageSettings')
      .takes(mailTrialValidator)
      .answers(one(delivery))

    router.get('/auth/oidc', [Oidc, 'show']).permission('manageSettings').answers(one(oidcSetup))
    router
      .put('/auth/oidc', [Oidc, 'update'])
      .permission('manageSignIn')
      .answers(one(oidcSetup))
      .takes(oidcClientValidator)
    router
      .post('/auth/oidc/test', [Oidc, 'test'])
      .permission('manageSettings')
      .answers(one(oidcInspection))
    router
      .post('/auth/oidc/role', [Oidc, 'role'])
      .permission('manageSettings')
      .answers(one(roleDecision))
      .takes(roleTrialValidator)

    router
      .get('/auth/services', [SignInServices, 'index'])
      .as('signInServices.index')
      .permission('manageSettings')
      .answers(page(signInService))
      .asks(pageValidator)
    router
      .put('/auth/services/:name', [SignInServices, 'update'])
      .as('signInServices.update')
      .permission('manageSignIn')
      .answers(one(signInService))
      .takes(signInServiceValidator)

    router
      .get('/users', [Users, 'index'])
      .permission('seeUsers')
      .answers(page(adminUser))
      .asks(usersQueryValidator)
    router
      .post('/users/invite', [Users, 'invite'])
      .permission('manageUsers')
      .answers(one(invitedUser, 201))
      .takes(inviteValidator)
    router.get('/users/:id', [Users, 'show']).permission('seeUsers').answers(one(adminUserDetails))
    router
      .patch('/users/:id', [Users, 'update'])
      .permission('manageUsers')
      .answers(one(adminUser))
      .takes(userChangesValidator)
    router
      .post('/users/:id/deactivate', [Users, 'deactivate'])
      .permission('manageUsers')
      .answers(one(adminUser))
    router
      .post('/users/:id/reactivate', [Users, 'reactivate'])
      .permission('manageUsers')
      .answers(one(adminUser))
    router
      .post('/users/:id/invitation', [Users, 'renewInvitation'])
      .as('users.renewInvitation')
      .permission('manageUsers')
      .answers(one(invitedUser))
    router
      .delete('/users/:id/invitation', [Users, 'revokeInvitation'])
      .as('users.revokeInvitation')
      .permission('manageUsers')
      .answers(nothing)

    router
      .get('/audit', [Audit, 'index'])
      .permission('readAudit')
      .answers(page(auditEvent))
      .asks(auditQueryValidator)
    router
      .get('/audit/export', [Audit, 'export'])
      .permission('readAudit')
      .answers(file('text/csv'))
      .asks(auditFilterValidator)
      .confirmed()
    router
      .get('/runtimes', [Runtimes, 'index'])
      .permission('manageSettings')
      .answers(page(runtime))
      .asks(pageValidator)
    router
      .get('/usage', [Usage, 'index'])
      .permission('seeOperation')
      .answers(one(usage))
      .asks(periodValidator)

    router.get('/fleet', [Fleet, 'show']).permission('seeOperation').answers(one(fleet))
    router.get('/fleet/events', [Fleet, 'events']).permission('seeOperation').answers(events)
    router
      .get('/nodes', [Nodes, 'index'])
      .permission('seeOperation')
      .answers(page(node))
      .asks(pageValidator)
    router
      .get('/agents', [Agents, 'index'])
      .permission('manageAgents')
      .answers(page(adminAgent))
      .asks(agentQueryValidator)
    router
      .patch('/agents/:id', [Agents, 'update'])
      .permission('manageAgents')
      .answers(one(adminAgent))
      .takes(agentChangesValidator)
    router
      .post('/agents/:id/stop', [Agents, 'stop'])
      .permission('manageAgents')
      .answers(one(adminAgent, 202))
    router
      .post('/agents/:id/restart', [Agents, 'restart'])
      .permission('manageAgents')
      .answers(one(adminAgent, 202))

    router.get('/about', [About, 'show']).permission('seeOperation').answers(one(about))
    router.get('/checklist', [Checklist, 'show']).permission('seeOperation').answers(one(checklist))
    router
      .patch('/checklist', [Checklist, 'update'])
      .permission('seeOperation')
      .takes(checklistValidator)
      .answers(one(checklist))
    router
      .get('/system-agents', [SystemAgents, 'index'])
      .as('systemAgents.index')
      .permission('manageAgents')
      .answers(page(systemAgent))
      .asks(pageValidator)
    router
      .post('/system-agents', [SystemAgents, 'store'])
      .as('systemAgents.store')
      .permission('manageAgents')
      .answers(one(systemAgent, 201))
      .takes(systemAgentValidator)
    router
      .patch('/system-agents/:id', [SystemAgents, 'update'])
      .as('systemAgents.update')
      .permission('manageAgents')
      .answers(one(systemAgent))
      .takes(systemAgentChangesValidator)
    router
      .delete('/system-agents/:id', [SystemAgents, 'destroy'])
      .as('systemAgents.destroy')
      .permission('manageAgents')
      .answers(nothing)
    router
      .get('/system-agents/:id/logs', [SystemAgents, 'logs'])
      .as('systemAgents.logs')
      .permission('manageAgents')
      .answers(one(logLines))
    router
      .post('/system-agents/:id/start', [SystemAgents, 'start'])
      .as('systemAgents.start')
      .permission('manageAgents')
      .answers(one(systemAgent, 202))
    router
      .post('/system-agents/:id/stop', [SystemAgents, 'stop'])
      .as('systemAgents.stop')
      .permission('manageAgents')
      .answers(one(systemAgent, 202))
    router
      .post('/system-agents/:id/restart', [SystemAgents, 'restart'])
      .as('systemAgents.restart')
      .permission('manageAgents')
      .answers(one(systemAgent, 202))
  })
  .prefix('/api/v1/admin')
  .as('admin')
  .use(api)
