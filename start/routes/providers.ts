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
import { nothing, one, page } from '#openapi/answer'
import { agentConfig, connectionTest, provider, providerType } from '#openapi/shapes/llm_services'
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
      .answers(page(providerType))
      .asks(pageValidator)
    router.get('/providers', [Providers, 'index']).answers(page(provider)).asks(pageValidator)
    router
      .post('/providers', [Providers, 'store'])
      .answers(one(provider, 201))
      .takes(providerValidator)
    router
      .post('/providers/test', [ProviderTests, 'entered'])
      .as('providers.testEntered')
      .answers(one(connectionTest))
      .takes(connectionValidator)
    router.get('/providers/:id', [Providers, 'show']).answers(one(provider))
    router
      .patch('/providers/:id', [Providers, 'update'])
      .answers(one(provider))
      .takes(providerChangesValidator)
    router
      .delete('/providers/:id', [Providers, 'destroy'])
      .answers(nothing)
      .asks(deleteProviderValidator)
    router
      .post('/providers/:id/test', [ProviderTests, 'stored'])
      .as('providers.testStored')
      .answers(one(connectionTest))
      .takes(connectionChangesValidator)
    router
      .get('/agent-config', [AgentConfig, 'show'])
      .as('agentConfig.show')
      .answers(one(agentConfig))
    router
      .put('/agent-config', [AgentConfig, 'update'])
      .as('agentConfig.update')
      .answers(one(agentConfig))
      .takes(agentConfigValidator)
  })
  .prefix('/api/v1')
  .access('signedIn')
  .use(api)
