import router from '@adonisjs/core/services/router'
import { authStepValidator, claimValidator, providerStepValidator } from '#validators/onboarding'
import { systemAgentsStepValidator } from '#validators/system_agents'
import { one } from '#openapi/answer'
import { me } from '#openapi/shapes/people'
import { onboarding } from '#openapi/shapes/sign_in'
import { api } from '#start/kernel'

const Onboarding = () => import('#controllers/api/onboarding_controller')

router
  .group(() => {
    router.get('/', [Onboarding, 'show']).as('show').answers(one(onboarding)).access('anyone')
    router
      .post('/breakglass', [Onboarding, 'claim'])
      .as('claim')
      .answers(one(me, 201))
      .takes(claimValidator)
      .access('onboarding')
      .withoutCsrf()
    router
      .post('/auth', [Onboarding, 'auth'])
      .as('auth')
      .answers(one(onboarding))
      .takes(authStepValidator)
      .access('onboardingAdmin')
      .permission('manageSettings')
    router
      .post('/provider', [Onboarding, 'provider'])
      .as('provider')
      .answers(one(onboarding))
      .takes(providerStepValidator)
    router
      .post('/system-agents', [Onboarding, 'systemAgents'])
      .as('systemAgents')
      .answers(one(onboarding))
      .takes(systemAgentsStepValidator)
    router.post('/complete', [Onboarding, 'complete']).as('complete').answers(one(onboarding))
  })
  .prefix('/api/v1/onboarding')
  .as('onboarding')
  .access('onboardingAdmin')
  .use(api)
