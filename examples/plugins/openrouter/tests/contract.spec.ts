import { test } from '@japa/runner'
import { llmAdapterSuite } from '@mosaic/plugin-kit/testing'
import { OpenrouterAdapter } from '../src/adapter.ts'
import { openrouter } from './service.ts'

llmAdapterSuite(test, {
  name: 'openrouter',
  adapter: () => new OpenrouterAdapter(),
  service: {
    path: '/api/v1',
    models: ['vendor/large', 'vendor/small'],
    listPath: '/api/v1/models',
    answer: openrouter(),
  },
})
