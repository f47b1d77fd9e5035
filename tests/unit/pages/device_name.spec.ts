import { test } from '@japa/runner'
import { deviceName } from '../../../inertia/composables/device_name.js'

const CHROME = 'AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0'

test.group('The name of a device', () => {
  test('is that of its own browser and system: {name}')
    .with([
      {
        name: 'Edge · Windows',
        agent: `(Windows NT 10.0; Win64; x64) ${CHROME} Safari/537.36 Edg/142.0.0.0`,
      },
      { name: 'Opera · Linux', agent: `(X11; Linux x86_64) ${CHROME} Safari/537.36 OPR/124.0.0.0` },
      { name: 'Chrome · Android', agent: `(Linux; Android 10; K) ${CHROME} Mobile Safari/537.36` },
      {
        name: 'Firefox · Linux',
        agent: '(X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0',
      },
      {
        name: 'Safari · iPhone',
        agent: '(iPhone; CPU iPhone OS 18_6 like Mac OS X) Version/18.6 Mobile/15E148 Safari/604.1',
      },
      { name: 'curl/8.5.0', agent: 'curl/8.5.0' },
    ])
    .run(({ assert }, { name, agent }) => {
      assert.equal(deviceName(agent.startsWith('(') ? `Mozilla/5.0 ${agent}` : agent), name)
    })
})
