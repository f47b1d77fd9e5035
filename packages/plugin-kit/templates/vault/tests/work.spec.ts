import { test } from '@japa/runner'
import { readKeys } from '../src/keys.ts'

test('Your work: has the same keys after a restart', async ({ assert }) => {
  assert.deepEqual(await readKeys(), await readKeys(), 'Each start makes new keys.')
})
