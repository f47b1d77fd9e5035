import { once } from 'node:events'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { test } from '@japa/runner'
import { request } from 'undici'
import { addressPolicy } from '#llm/address_policy'
import { guardedDispatcher, type ResolvedAddress } from '#llm/guarded_dispatcher'
import { createGuardedFetch } from '#llm/guarded_fetch'
import { LoopbackService } from '#tests/contracts/loopback_service'

/** Ranges that cover everything an admin could possibly allow. */
const EVERYTHING = ['0.0.0.0/0', '::/0']

/** [address, by default, with every range allowed] */
const ADDRESSES: [address: string, byDefault: boolean, withEverything: boolean, what: string][] = [
  ['8.8.8.8', true, true, 'public'],
  ['1.1.1.1', true, true, 'public'],
  ['93.184.215.14', true, true, 'public'],
  ['172.15.255.255', true, true, 'public, one below the private range'],
  ['172.32.0.0', true, true, 'public, one above the private range'],
  ['192.167.255.255', true, true, 'public, one below the private range'],
  ['11.0.0.0', true, true, 'public, one above the private range'],
  ['126.255.255.255', true, true, 'public, one below loopback'],
  ['128.0.0.1', true, true, 'public, one above loopback'],
  ['100.63.255.255', true, true, 'public, one below CGNAT'],
  ['100.128.0.0', true, true, 'public, one above CGNAT'],
  ['169.253.255.255', true, true, 'public, one below link-local'],
  ['223.255.255.255', true, true, 'public, one below multicast'],
  ['2606:4700:4700::1111', true, true, 'public'],
  ['2a00:1450:4001:82a::200e', true, true, 'public'],
  ['2600:1f18::1', true, true, 'public'],

  ['127.0.0.1', false, true, 'loopback'],
  ['127.255.255.254', false, true, 'loopback'],
  ['::1', false, true, 'loopback'],
  ['10.0.0.1', false, true, 'private'],
  ['10.255.255.255', false, true, 'private'],
  ['172.16.0.1', false, true, 'private'],
  ['172.31.255.255', false, true, 'private'],
  ['192.168.0.1', false, true, 'private'],
  ['192.168.255.255', false, true, 'private'],
  ['100.64.0.1', false, true, 'CGNAT'],
  ['100.127.255.255', false, true, 'CGNAT'],
  ['fc00::1', false, true, 'unique local'],
  ['fd12:3456:789a::1', false, true, 'unique local'],

  ['0.0.0.0', false, false, 'unspecified'],
  ['0.1.2.3', false, false, 'this network'],
  ['::', false, false, 'unspecified'],
  ['169.254.0.1', false, false, 'link-local'],
  ['169.254.169.254', false, false, 'metadata of AWS, GCP and Azure'],
  ['169.254.170.2', false, false, 'credentials of AWS containers'],
  ['169.254.169.123', false, false, 'link-local time'],
  ['fe80::1', false, false, 'link-local'],
  ['fe80::a9fe:a9fe', false, false, 'metadata, link-local'],
  ['febf::1', false, false, 'link-local'],
  ['fec0::1', false, false, 'site-local, deprecated'],
  ['fd00:ec2::254', false, false, 'metadata of AWS'],
  ['fd00:ec2::23', false, false, 'credentials of AWS pods'],
  ['fd20:ce::254', false, false, 'metadata of GCP'],
  ['fd00:42::42', false, false, 'metadata of Scaleway'],
  ['100.100.100.200', false, false, 'metadata of Alibaba'],
  ['168.63.129.16', false, false, 'metadata of Azure'],
  ['192.0.0.192', false, false, 'metadata of Oracle'],
  ['224.0.0.1', false, false, 'multicast'],
  ['239.255.255.250', false, false, 'multicast'],
  ['ff02::1', false, false, 'multicast'],
  ['255.255.255.255', false, false, 'broadcast'],
  ['240.0.0.1', false, false, 'reserved'],
  ['192.0.2.1', false, false, 'documentation'],
  ['198.51.100.1', false, false, 'documentation'],
  ['203.0.113.1', false, false, 'documentation'],
  ['198.18.0.1', false, false, 'benchmarks'],
  ['192.88.99.1', false, false, '6to4 relay'],
  ['2001:db8::1', false, false, 'documentation'],
  ['3fff::1', false, false, 'documentation'],
  ['100::1', false, false, 'discard'],
  ['4000::1', false, false, 'unassigned'],
  ['2001:2::1', false, false, 'benchmarks'],

  ['::ffff:127.0.0.1', false, false, 'loopback, mapped'],
  ['::ffff:7f00:1', false, false, 'loopback, mapped, in hex'],
  ['::ffff:169.254.169.254', false, false, 'metadata, mapped'],
  ['::ffff:10.0.0.1', false, false, 'private, mapped'],
  ['::ffff:8.8.8.8', false, false, 'public, mapped'],
  ['::127.0.0.1', false, false, 'loopback, IPv4-compatible'],
  ['::ffff:0:127.0.0.1', false, false, 'loopback, translated'],
  ['64:ff9b::7f00:1', false, false, 'loopback behind NAT64'],
  ['64:ff9b::a9fe:a9fe', false, false, 'metadata behind NAT64'],
  ['64:ff9b::a00:1', false, false, 'private behind NAT64'],
  ['64:ff9b::6464:64c8', false, false, 'CGNAT metadata behind NAT64'],
  ['64:ff9b::808:808', true, true, 'public behind NAT64'],
  ['64:ff9b:1::7f00:1', false, false, 'loopback behind a local NAT64'],
  ['64:ff9b:1::808:808', false, false, 'public behind a local NAT64'],
  ['2002:7f00:1::', false, false, 'loopback in 6to4'],
  ['2002:a9fe:a9fe::1', false, false, 'metadata in 6to4'],
  ['2002:808:808::1', false, false, 'public in 6to4'],
  ['2001:0:808:808::1', false, false, 'Teredo'],

  ['', false, false, 'nothing'],
  ['localhost', false, false, 'a name'],
  ['999.1.1.1', false, false, 'no address'],
]

test.group('Address policy', () => {
  test('{1}: {0}')
    .with(
      ADDRESSES.map(
        ([address, byDefault, withEverything, what]) =>
          [address, what, byDefault, withEverything] as const
      )
    )
    .run(({ assert }, [address, what, byDefault, withEverything]) => {
      assert.equal(addressPolicy([])(address), byDefault, `${what}, by default`)
      assert.equal(addressPolicy(EVERYTHING)(address), withEverything, `${what}, with every range`)
    })

  test('an allowed range opens what it covers and nothing beside it', ({ assert }) => {
    const allows = addressPolicy(['192.168.178.0/24', 'fd12::/16'])
    assert.isTrue(allows('192.168.178.20'))
    assert.isFalse(allows('192.168.179.20'))
    assert.isFalse(allows('10.0.0.1'))
    assert.isFalse(allows('127.0.0.1'))
    assert.isTrue(allows('fd12::20'))
    assert.isFalse(allows('fd13::20'))
  })

  test('allowing one loopback address allows the other family, as localhost is both', ({
    assert,
  }) => {
    assert.isTrue(addressPolicy(['127.0.0.0/8'])('::1'))
    assert.isTrue(addressPolicy(['::1/128'])('127.0.0.1'))
    assert.isFalse(addressPolicy(['127.0.0.2/32'])('127.0.0.1'))
    assert.isFalse(addressPolicy(['127.0.0.2/32'])('::1'))
  })

  test('a range that is none is an error, not a hole', ({ assert }) => {
    assert.throws(() => addressPolicy(['everything']))
  })
})

test.group('Guarded fetch: what may be called', () => {
  const fetch = createGuardedFetch({ allowedRanges: [], deadlineMs: 1000 })

  const blocked = [
    'http://127.0.0.1/',
    'http://127.1/',
    'http://2130706433/',
    'http://0x7f000001/',
    'http://0177.0.0.1/',
    'http://0x7f.0.0.0x1/',
    'http://017700000001/',
    'http://127.0.0.1.:80/',
    'http://①②⑦.0.0.1/',
    'http://[::1]/',
    'http://[0:0:0:0:0:0:0:1]/',
    'http://[::ffff:127.0.0.1]/',
    'http://[::ffff:7f00:1]/',
    'http://[64:ff9b::127.0.0.1]/',
    'http://[2002:7f00:1::]/',
    'http://0/',
    'http://0.0.0.0:3333/',
    'http://169.254.169.254/latest/meta-data/',
    'http://2852039166/',
    'http://0xa9fea9fe/',
    'http://[fd00:ec2::254]/',
    'http://[fe80::1]/',
    'http://10.1.2.3/',
    'http://192.168.1.1/',
    'https://172.16.0.1/',
    'http://100.100.100.200/',
    'http://255.255.255.255/',
    'ftp://8.8.8.8/',
    'file:///etc/passwd',
    'gopher://8.8.8.8/',
    'data:text/plain,hello',
    'javascript:1',
    'http://user:secret@8.8.8.8/',
    'http://user@8.8.8.8/',
    '//8.8.8.8/',
    'not an address',
    '',
  ]
  test('never {$self}')
    .with(blocked)
    .run(async ({ assert }, url) => {
      const error = await fetch(url).catch((reason: unknown) => reason)
      assert.equal((error as { code?: string }).code, 'E_BLOCKED_ADDRESS')
      assert.notInclude((error as Error).message, 'secret')
    })

  test('localhost by its name is loopback', async ({ assert }) => {
    const error = await fetch('http://localhost:8080/').catch((reason: unknown) => reason)
    assert.equal((error as { code?: string }).code, 'E_BLOCKED_ADDRESS')
  })
})

test.group('Guarded fetch: names', () => {
  const PUBLIC: ResolvedAddress = { address: '8.8.8.8', family: 4 }
  const LOOPBACK: ResolvedAddress = { address: '127.0.0.1', family: 4 }

  test('a name that resolves to a blocked address is blocked', async ({ assert, cleanup }) => {
    const service = await LoopbackService.start(() => ({ status: 200, json: {} }))
    cleanup(() => service.close())
    const fetch = createGuardedFetch({ allowedRanges: [], resolve: async () => [LOOPBACK] })
    await assert.rejects(() => fetch(`http://rebound.test:${service.port}/`), /does not call/)
    assert.lengthOf(service.received, 0)
  })

  test('one blocked address among good ones blocks them all', async ({ assert }) => {
    for (const addresses of [
      [PUBLIC, LOOPBACK],
      [LOOPBACK, PUBLIC],
    ]) {
      const fetch = createGuardedFetch({ allowedRanges: [], resolve: async () => addresses })
      await assert.rejects(() => fetch('http://both.test/'), /does not call/)
    }
  })

  test('a name is resolved once for a connection, which goes to what was checked', async ({
    assert,
    cleanup,
  }) => {
    const service = await LoopbackService.start(() => ({ status: 200, json: { ok: true } }))
    cleanup(() => service.close())
    const asked: string[] = []
    /** Turns to the metadata service at the second question, as a rebinding name does. */
    const resolve = async (hostname: string) => {
      asked.push(hostname)
      return asked.length === 1 ? [LOOPBACK] : [{ address: '169.254.169.254', family: 4 }]
    }
    const fetch = createGuardedFetch({ allowedRanges: ['127.0.0.0/8'], resolve })
    const response = await fetch(`http://rebinding.test:${service.port}/`)
    assert.deepEqual(await response.json(), { ok: true })
    assert.deepEqual(asked, ['rebinding.test'])
    assert.equal(service.received[0].headers.host, `rebinding.test:${service.port}`)
  })

  test('a connection made anew is checked anew', async ({ assert, cleanup }) => {
    const service = await LoopbackService.start(() => ({
      status: 200,
      json: {},
      headers: { connection: 'close' },
    }))
    cleanup(() => service.close())
    const answers = [[LOOPBACK], [{ address: '10.0.0.1', family: 4 }]]
    const fetch = createGuardedFetch({
      allowedRanges: ['127.0.0.0/8'],
      resolve: async () => answers.shift()!,
    })
    await (await fetch(`http://rebinding.test:${service.port}/`)).text()
    await assert.rejects(() => fetch(`http://rebinding.test:${service.port}/`), /does not call/)
  })

  test('a name without an address cannot be reached', async ({ assert }) => {
    const fetch = createGuardedFetch({ allowedRanges: [], resolve: async () => [] })
    const error = await fetch('http://nowhere.test/').catch((reason: unknown) => reason)
    assert.equal((error as { cause: { code: string } }).cause.code, 'ENOTFOUND')
  })
})

test.group('Guarded fetch: redirects, deadlines and dispatchers', () => {
  const allowedRanges = ['127.0.0.0/8']

  test('a redirect is handed back, whatever the caller wished', async ({ assert, cleanup }) => {
    const target = await LoopbackService.start(() => ({ status: 200, json: {} }))
    cleanup(() => target.close())
    const service = await LoopbackService.start(() => ({
      status: 307,
      json: {},
      headers: { location: `${target.url}/secret` },
    }))
    cleanup(() => service.close())

    const fetch = createGuardedFetch({ allowedRanges })
    const response = await fetch(service.url, { redirect: 'follow' })
    assert.equal(response.status, 307)
    assert.lengthOf(target.received, 0)
  })

  test('a call ends at its deadline, before the headers and in the body', async ({
    assert,
    cleanup,
  }) => {
    const silent = await LoopbackService.start(() => () => {})
    cleanup(() => silent.close())
    const slow = await LoopbackService.start(
      () => (response) => void response.writeHead(200).write('{')
    )
    cleanup(() => slow.close())

    const fetch = createGuardedFetch({ allowedRanges, deadlineMs: 150 })
    const error = await fetch(silent.url).catch((reason: unknown) => reason)
    assert.equal((error as Error).name, 'TimeoutError')
    const late = await fetch(slow.url)
      .then(
        (response) => response.text(),
        () => assert.fail('the headers came')
      )
      .catch((reason: unknown) => reason)
    assert.equal((late as Error).name, 'TimeoutError')
  })

  test("the caller's signal ends a call with its reason", async ({ assert, cleanup }) => {
    const silent = await LoopbackService.start(() => () => {})
    cleanup(() => silent.close())
    const fetch = createGuardedFetch({ allowedRanges })
    const signal = AbortSignal.abort(new Error('gone'))
    await assert.rejects(() => fetch(silent.url, { signal }), 'gone')
  })

  test('the dispatcher guards calls of undici itself', async ({ assert, cleanup }) => {
    const service = await LoopbackService.start(() => ({ status: 200, json: { ok: true } }))
    const open = guardedDispatcher({ allowedRanges })
    const shut = guardedDispatcher({ allowedRanges: [] })
    cleanup(async () => {
      await Promise.all([open.destroy(), shut.destroy()])
      await service.close()
    })

    const { body } = await request(service.url, { dispatcher: open })
    assert.deepEqual(await body.json(), { ok: true })
    const error = await request(service.url, { dispatcher: shut }).catch(
      (reason: unknown) => reason
    )
    assert.equal((error as { code?: string }).code, 'E_BLOCKED_ADDRESS')
    assert.lengthOf(service.received, 1)
  })

  test('an environment that names a proxy changes nothing', async ({ assert, cleanup }) => {
    const proxy = createServer().listen(0, '127.0.0.1')
    await once(proxy, 'listening')
    let visits = 0
    proxy.on('connection', (socket) => {
      visits += 1
      socket.destroy()
    })
    const service = await LoopbackService.start(() => ({ status: 200, json: {} }))
    const { http_proxy: before } = process.env
    process.env.http_proxy = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`
    cleanup(async () => {
      if (before === undefined) delete process.env.http_proxy
      else process.env.http_proxy = before
      proxy.close()
      await service.close()
    })
    const response = await createGuardedFetch({ allowedRanges })(service.url)
    assert.equal(response.status, 200)
    assert.equal(visits, 0)
  })
})
