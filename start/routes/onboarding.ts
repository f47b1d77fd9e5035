import router from '@adonisjs/core/services/router'
import { authStepValidator, claimValidator, providerStepValidator } from '#validators/onboarding'
import { systemAgentsStepValidator } from '#validators/system_agents'
import { api } from '#start/kernel'

const Onboarding = () => import('#controllers/api/onboarding_controller')

router
  .group(() => {
    router.get('/', [Onboarding, 'show']).as('show').access('anyone')
    router
      .post('/breakglass', [Onboarding, 'claim'])
      .as('claim')
      .takes(claimValidator)
      .access('onboarding')
      .withoutCsrf()
    router.post('/auth', [Onboarding, 'auth']).as('auth').takes(authStepValidator)
    router.post('/provider', [Onboarding, 'provider']).as('provider').takes(providerStepValidator)
    router
      .post('/system-agents', [Onboarding, 'systemAgents'])
      .as('systemAgents')
      .takes(systemAgentsStepValidator)
    router.post('/complete', [Onboarding, 'complete']).as('complete')
  })
  .prefix('/api/v1/onboarding')
  .as('onboarding')
  .access('onboardingAdmin')
  .use(api)
