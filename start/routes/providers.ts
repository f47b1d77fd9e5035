import router from '@adonisjs/core/services/router'
import { pageValidator } from '#validators/identity'
import {
  connectionChangesValidator,
  connectionValidator,
  deleteProviderValidator,
  providerChangesValidator,
  providerValidator,
} from '#validators/provider'
import { agentConfigValidator } from '#validators/agent_config'
import { api } from '#start/kernel'

const Providers = () => import('#controllers/api/providers_controller')
const ProviderTests = () => import('#controllers/api/provider_tests_controller')
const ProviderTypes = () => import('#controllers/api/provider_types_controller')
const AgentConfig = () => import('#controllers/api/agent_config_controller')

router
  .group(() => {
    router
      .get('/provider-types', [ProviderTypes, 'index'])
      .as('providerTypes.index')
      .asks(pageValidator)
    router.get('/providers', [Providers, 'index']).as('providers.index').asks(pageValidator)
    router.post('/providers', [Providers, 'store']).as('providers.store').takes(providerValidator)
    router
      .post('/providers/test', [ProviderTests, 'entered'])
      .as('providers.testEntered')
      .takes(connectionValidator)
    router.get('/providers/:id', [Providers, 'show']).as('providers.show')
    router
      .patch('/providers/:id', [Providers, 'update'])
      .as('providers.update')
      .takes(providerChangesValidator)
    router
      .delete('/providers/:id', [Providers, 'destroy'])
      .as('providers.destroy')
      .asks(deleteProviderValidator)
    router
      .post('/providers/:id/test', [ProviderTests, 'stored'])
      .as('providers.testStored')
      .takes(connectionChangesValidator)
    router.get('/agent-config', [AgentConfig, 'show']).as('agentConfig.show')
    router
      .put('/agent-config', [AgentConfig, 'update'])
      .as('agentConfig.update')
      .takes(agentConfigValidator)
  })
  .prefix('/api/v1')
  .access('signedIn')
  .use(api)
