import { test } from '@japa/runner'
import { Secret } from '@adonisjs/core/helpers'
import { prepare } from './trial.ts'

test('Your work: starts OpenClaw by the launcher', async ({ assert, cleanup }) => {
  const trial = await prepare()
  cleanup(() => trial.close())
  const driver = await trial.open('here')
  const spec = {
    name: 'mosaic-user-1',
    agent: 'user/1',
    installation: 'here',
    generation: 1,
    hash: '1',
    apiUrl: trial.apiUrl,
    token: new Secret('token'),
    image: null,
    limits: { memoryMb: 512, cpus: 1, processes: 64 },
  }
  await driver.ensure(spec, { signal: AbortSignal.timeout(20_000) })
  const deadline = performance.now() + 5000
  while (trial.documents.asked.length === 0 && performance.now() < deadline) {
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  const begin = 'No launcher fetched its document. Begin with "ensure" in src/driver.ts.'
  assert.isNotEmpty(trial.documents.asked, begin)
}).timeout(30_000)
