import router from '@adonisjs/core/services/router'
import { api } from '#start/kernel'

const Onboarding = () => import('#controllers/api/onboarding_controller')

router
  .group(() => {
    router.get('/', [Onboarding, 'show']).as('show').access('anyone')
    router.post('/breakglass', [Onboarding, 'claim']).as('claim').access('onboarding').withoutCsrf()
    router.post('/auth', [Onboarding, 'auth']).as('auth')
    router.post('/provider', [Onboarding, 'provider']).as('provider')
    router.post('/system-agents', [Onboarding, 'systemAgents']).as('systemAgents')
    router.post('/complete', [Onboarding, 'complete']).as('complete')
  })
  .prefix('/api/v1/onboarding')
  .as('onboarding')
  .access('onboardingAdmin')
  .use(api)
