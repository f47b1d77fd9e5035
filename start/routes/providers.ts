import router from '@adonisjs/core/services/router'
import { api } from '#start/kernel'

const Providers = () => import('#controllers/api/providers_controller')
const ProviderTests = () => import('#controllers/api/provider_tests_controller')
const ProviderTypes = () => import('#controllers/api/provider_types_controller')
const AgentConfig = () => import('#controllers/api/agent_config_controller')

router
  .group(() => {
    router.get('/provider-types', [ProviderTypes, 'index']).as('providerTypes.index')
    router.get('/providers', [Providers, 'index']).as('providers.index')
    router.post('/providers', [Providers, 'store']).as('providers.store')
    router.post('/providers/test', [ProviderTests, 'entered']).as('providers.testEntered')
    router.get('/providers/:id', [Providers, 'show']).as('providers.show')
    router.patch('/providers/:id', [Providers, 'update']).as('providers.update')
    router.delete('/providers/:id', [Providers, 'destroy']).as('providers.destroy')
    router.post('/providers/:id/test', [ProviderTests, 'stored']).as('providers.testStored')
    router.get('/agent-config', [AgentConfig, 'show']).as('agentConfig.show')
    router.put('/agent-config', [AgentConfig, 'update']).as('agentConfig.update')
  })
  .prefix('/api/v1')
  .access('signedIn')
  .use(api)
