import { test } from '@japa/runner'
import { AcmeAdapter } from '../src/adapter.ts'

test('Your work: names a service that exists', ({ assert }) => {
  const { hostname } = new URL(new AcmeAdapter().defaults.baseUrl)
  const begin = 'The address is still an example. Begin with "defaults" in src/adapter.ts.'
  assert.notMatch(hostname, /\.example$/, begin)
})
