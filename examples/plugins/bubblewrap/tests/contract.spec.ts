import { test } from '@japa/runner'
import { hostileAgentSuite, runtimeDataSuite, runtimeSuite } from '@mosaic/plugin-kit/testing'
import { BubblewrapDriver } from '../src/driver.ts'
import { canSandbox, capabilities, prepare } from './trial.ts'

if (canSandbox()) {
  runtimeSuite(test, { name: 'bubblewrap', capabilities, prepare: () => prepare() })
  runtimeDataSuite(test, { name: 'bubblewrap', prepare: () => prepare() })
  hostileAgentSuite(test, { name: 'bubblewrap', capabilities, prepare: () => prepare() })
}

test('says what the machine lacks', async ({ assert, cleanup }) => {
  const path = process.env.PATH
  cleanup(() => void (process.env.PATH = path))
  process.env.PATH = '/nowhere'
  const launch = {
    storage: '',
    launcher: '',
    node: '',
    openclaw: () => {
      throw new Error('OpenClaw is not installed.')
    },
  }
  const findings = await new BubblewrapDriver({
    installation: 'here',
    launch,
    options: async () => ({}),
  }).preflight()
  assert.deepEqual(
    findings.map(({ code }) => code),
    ['bubblewrap_missing', 'openclaw_missing']
  )
})
