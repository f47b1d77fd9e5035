import { test } from '@japa/runner'
import { privatePlaces } from '#runtimes/engine/private_places'

test.group('Runtimes | places in private networks', () => {
  const asked = (resolvers: string) =>
    privatePlaces(resolvers).map(({ host, port }) => `${host}:${port}`)

  test('are the metadata service of a cloud, and private name servers', ({ assert }) => {
    const metadata = '169.254.169.254:80'
    assert.deepEqual(asked(''), [metadata])
    assert.deepEqual(asked('nameserver 10.0.0.2\nnameserver 9.9.9.9\n'), [metadata, '10.0.0.2:9'])
    // As an engine writes it into a container.
    const noted = 'nameserver 127.0.0.11\n# ExtServers: [192.168.1.1 host(127.0.0.53)]\n'
    assert.deepEqual(asked(noted), [metadata, '192.168.1.1:9'])
  })
})
