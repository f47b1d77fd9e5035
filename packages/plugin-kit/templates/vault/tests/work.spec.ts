import { test } from '@japa/runner'
import { readKeys } from '../src/keys.ts'

test('Your work: has the same keys after a restart', async ({ assert }) => {
  const begin = 'Each start makes new keys. Begin with "readKeys" in src/keys.ts.'
  assert.deepEqual(await readKeys(), await readKeys(), begin)
})
