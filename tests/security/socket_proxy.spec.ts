import { test } from '@japa/runner'
import { fillerContainer } from '#runtimes/drivers/docker/container_options'
import {
  FOREIGN_IMAGE_ID,
  IMAGE_ID,
  OURS,
  SocketProxySurface,
} from '#tests/doubles/socket_proxy_surface'

/** Status of every refusal. */
const REFUSED = 422

let surface: SocketProxySurface

function setUp(config: Parameters<SocketProxySurface['start']>[0] = {}) {
  return async () => {
    surface = new SocketProxySurface()
    await surface.start(config)
    return () => surface.stop()
  }
}

type Body = Record<string, any>

/** Changes to the driver's request, each of which would give an agent more than it may have. */
const BAD_AGENTS: Record<string, (body: Body) => void> = {
  'privilege': (body) => (body.HostConfig.Privileged = true),
  'a capability': (body) => (body.HostConfig.CapAdd = ['NET_ADMIN']),
  'kept capabilities': (body) => (body.HostConfig.CapDrop = []),
  'no word on capabilities': (body) => delete body.HostConfig.CapDrop,
  'some capabilities dropped only': (body) => (body.HostConfig.CapDrop = ['NET_RAW']),
  'a device': (body) => (body.HostConfig.Devices = [{ PathOnHost: '/dev/sda' }]),
  'a request for devices': (body) => (body.HostConfig.DeviceRequests = [{ Count: -1 }]),
  'a rule for devices': (body) => (body.HostConfig.DeviceCgroupRules = ['b 8:0 rwm']),
  'the network of the machine': (body) => (body.HostConfig.NetworkMode = 'host'),
  'the default bridge': (body) => (body.HostConfig.NetworkMode = 'bridge'),
  'the network of another container': (body) =>
    (body.HostConfig.NetworkMode = 'container:database'),
  'a network that is not ours': (body) => (body.HostConfig.NetworkMode = 'operator'),
  'the network of another agent': (body) => (body.HostConfig.NetworkMode = 'xyz-net'),
  'a network that is not there': (body) => (body.HostConfig.NetworkMode = 'nowhere'),
  'a second network': (body) => (body.NetworkingConfig = { EndpointsConfig: { operator: {} } }),
  'the processes of the machine': (body) => (body.HostConfig.PidMode = 'host'),
  'the memory of others': (body) => (body.HostConfig.IpcMode = 'host'),
  'the names of the machine': (body) => (body.HostConfig.UTSMode = 'host'),
  'the users of the machine': (body) => (body.HostConfig.UsernsMode = 'host'),
  'the control groups of the machine': (body) => (body.HostConfig.CgroupnsMode = 'host'),
  'a control group': (body) => (body.HostConfig.CgroupParent = '/'),
  'a kernel setting': (body) => (body.HostConfig.Sysctls = { 'net.ipv4.ip_forward': '1' }),
  'another runtime': (body) => (body.HostConfig.Runtime = 'insecure'),
  'more groups': (body) => (body.HostConfig.GroupAdd = ['docker']),
  'a bound folder': (body) => (body.HostConfig.Binds = ['/:/host']),
  'the socket of the engine': (body) =>
    body.HostConfig.Mounts.push({
      Type: 'bind',
      Source: '/var/run/docker.sock',
      Target: '/run/mosaic',
      ReadOnly: true,
    }),
  'a bind in place of its data': (body) =>
    Object.assign(body.HostConfig.Mounts[0], { Type: 'bind', Source: '/etc' }),
  'options of a mount': (body) =>
    (body.HostConfig.Mounts[0].VolumeOptions = {
      DriverConfig: { Name: 'local', Options: { type: 'none', o: 'bind', device: '/' } },
    }),
  'the volume of another agent': (body) =>
    (body.HostConfig.Mounts[0].Source = 'mosaic-user-xyz-state'),
  'a volume that is not ours': (body) => (body.HostConfig.Mounts[0].Source = 'database'),
  'a volume that the engine would make': (body) => (body.HostConfig.Mounts[0].Source = 'new'),
  'a writable token': (body) => (body.HostConfig.Mounts[1].ReadOnly = false),
  'a mount elsewhere': (body) => (body.HostConfig.Mounts[0].Target = '/usr/local/bin'),
  'volumes of another container': (body) => (body.HostConfig.VolumesFrom = ['database']),
  'a volume beside the mounts': (body) => (body.Volumes = { '/data': {} }),
  'looser security': (body) => (body.HostConfig.SecurityOpt = ['seccomp=unconfined']),
  'a relaxation beside the hardening': (body) =>
    body.HostConfig.SecurityOpt.push('apparmor=unconfined'),
  'new privileges': (body) => delete body.HostConfig.SecurityOpt,
  'unmasked paths': (body) => (body.HostConfig.MaskedPaths = ['/nothing']),
  'a writable root': (body) => (body.HostConfig.ReadonlyRootfs = false),
  'the root user': (body) => (body.User = '0:0'),
  'the root group': (body) => (body.User = '1000:0'),
  'a user by name': (body) => (body.User = 'root'),
  'a published port': (body) => (body.HostConfig.PortBindings = { '80/tcp': [{ HostPort: '80' }] }),
  'all ports published': (body) => (body.HostConfig.PublishAllPorts = true),
  'a restart by itself': (body) => (body.HostConfig.RestartPolicy = { Name: 'always' }),
  'no limit of memory': (body) => delete body.HostConfig.Memory,
  'unlimited swap': (body) => (body.HostConfig.MemorySwap = -1),
  'too much memory': (body) => {
    body.HostConfig.Memory = 2 ** 40
    body.HostConfig.MemorySwap = 2 ** 40
  },
  'no limit of processors': (body) => (body.HostConfig.NanoCpus = 0),
  'no limit of processes': (body) => (body.HostConfig.PidsLimit = -1),
  'no end by shortage of memory': (body) => (body.HostConfig.OomKillDisable = true),
  'a better place when memory is short': (body) => (body.HostConfig.OomScoreAdj = -1000),
  'a log elsewhere': (body) => (body.HostConfig.LogConfig = { Type: 'syslog', Config: {} }),
  'a tmpfs with programs of other users': (body) =>
    (body.HostConfig.Tmpfs = { '/tmp': 'rw,size=1m' }),
  'a tmpfs over its programs': (body) =>
    (body.HostConfig.Tmpfs = { '/usr': 'rw,nosuid,nodev,size=1m' }),
  'other hosts by name': (body) => (body.HostConfig.ExtraHosts = ['api.example:10.0.0.1']),
  'a name server': (body) => (body.HostConfig.Dns = ['10.0.0.1']),
  'links': (body) => (body.HostConfig.Links = ['database']),
  'an image that is not allowed': (body) => (body.Image = 'alpine:3'),
  'such an image by its id': (body) => (body.Image = FOREIGN_IMAGE_ID),
  'an image with another word for a path': (body) => (body.Image = '../containers/database'),
  'no label of an installation': (body) => delete body.Labels['mosaic.installation'],
  'the label of another installation': (body) => (body.Labels['mosaic.installation'] = 'inst2'),
  'no label of an agent': (body) => delete body.Labels['mosaic.agent'],
  'the name of another agent': (body) => (body.Labels['mosaic.name'] = 'mosaic-user-xyz'),
  'the label of Mosaic itself': (body) => (body.Labels['mosaic.server'] = 'true'),
  'labels of others': (body) => (body.Labels['com.docker.compose.project'] = 'mosaic'),
  'an unknown purpose': (body) => (body.Labels['mosaic.purpose'] = 'any'),
  'the privilege in other letters': (body) => (body.hostconfig = { Privileged: true }),
  'a bind in other letters': (body) => (body.HostConfig.binds = ['/:/host']),
  'an unknown field': (body) => (body.HostConfig.Novelty = 'on'),
  'a second name': (body) => (body.name = 'mosaic-user-xyz'),
}

test.group('Socket proxy · making an agent', (group) => {
  group.each.setup(setUp())

  test('lets through what the driver asks for', async ({ assert }) => {
    const { status } = await surface.create(surface.agent())

    assert.equal(status, 201)
    const [{ path, query, body }] = surface.engine.received as any[]
    assert.equal(path, '/containers/create')
    assert.deepEqual(query, { name: 'mosaic-user-abc' })
    assert.equal(body.Image, IMAGE_ID)
    assert.equal(body.HostConfig.ReadonlyRootfs, true)
    assert.deepEqual(body.HostConfig.CapDrop, ['ALL'])
    assert.lengthOf(body.HostConfig.Mounts, 2)
    assert.deepEqual(body.HostConfig.Dns, ['192.0.2.1'])
    assert.notProperty(body, 'abortSignal')
  })

  test('names the image by its id, so that its name cannot move on meanwhile', async ({
    assert,
  }) => {
    await surface.create({ ...surface.agent(), Image: 'ghcr.io/openclaw/openclaw:1' })
    assert.equal((surface.engine.received[0].body as Body).Image, IMAGE_ID)
  })

  for (const [what, change] of Object.entries(BAD_AGENTS)) {
    test(`refuses ${what}`, async ({ assert }) => {
      const body = surface.agent()
      change(body)
      const { status, body: answer } = await surface.create(body)

      assert.oneOf(status, [REFUSED, 400])
      assert.match(answer.message, /^socket proxy: /)
      assert.isEmpty(surface.engine.received)
    })
  }

  test('sends the last of two equal keys on, and no other, as the engine may read the first', async ({
    assert,
  }) => {
    const text = JSON.stringify(surface.agent())
    const doubled = text.replace('"HostConfig":{', '"HostConfig":{"ReadonlyRootfs":false,')
    await surface.ask('POST', '/containers/create?name=mosaic-user-abc', doubled)
    assert.equal((surface.engine.received[0].body as Body).HostConfig.ReadonlyRootfs, true)
  })

  test('refuses a name that is given twice', async ({ assert }) => {
    const path = '/containers/create?name=mosaic-user-abc&name=mosaic-user-xyz'
    const { status } = await surface.ask('POST', path, surface.agent())
    assert.equal(status, 400)
    assert.isEmpty(surface.engine.received)
  })

  test('refuses a body that is no JSON, and one that is too large', async ({ assert }) => {
    const path = '/containers/create?name=a'
    assert.equal((await surface.ask('POST', path, '{')).status, 400)
    assert.equal((await surface.ask('POST', path, ' '.repeat(1024 * 1024 + 1))).status, 413)
    assert.isEmpty(surface.engine.received)
  })
})

test.group('Socket proxy · binds', (group) => {
  group.each.setup(setUp({ secretsFolder: '/run/mosaic' }))

  const bound = (source: string) => {
    const body = surface.agent()
    body.HostConfig.Mounts[1] = {
      Type: 'bind',
      Source: source,
      Target: '/run/mosaic',
      ReadOnly: true,
    }
    return surface.create(body)
  }

  test("lets an agent have its own folder of the operator's folder for tokens", async ({
    assert,
  }) => {
    assert.equal((await bound('/run/mosaic/0123abcd/mosaic-user-abc')).status, 201)
  })

  for (const [what, source] of Object.entries({
    'of another agent': '/run/mosaic/0123abcd/mosaic-user-xyz',
    'of all agents': '/run/mosaic/0123abcd',
    'reached by steps upwards': '/run/mosaic/../mosaic-user-abc',
    'beside it': '/run/mosaic-other/0123abcd/mosaic-user-abc',
    'below it': '/run/mosaic/0123abcd/mosaic-user-abc/../mosaic-user-xyz',
  })) {
    test(`refuses a folder ${what}`, async ({ assert }) => {
      assert.equal((await bound(source)).status, REFUSED)
      assert.isEmpty(surface.engine.received)
    })
  }
})

/** API sections that expose the machine or what others have on it. */
const BAD_REQUESTS: [string, string][] = [
  ['POST', '/containers/mosaic-user-abc/attach?stream=1&stdin=1'],
  ['GET', '/containers/mosaic-user-abc/attach/ws'],
  ['POST', '/containers/mosaic-user-abc/exec'],
  ['POST', '/exec/abc/start'],
  ['POST', '/containers/mosaic-user-abc/rename?name=other'],
  ['POST', '/containers/mosaic-user-abc/copy'],
  ['GET', '/containers/mosaic-user-abc/export'],
  ['GET', '/containers/mosaic-user-abc/changes'],
  ['POST', '/containers/prune'],
  ['POST', '/commit?container=mosaic-user-abc'],
  ['POST', '/build'],
  ['POST', '/session'],
  ['POST', '/grpc'],
  ['GET', '/images/json'],
  ['POST', '/images/load'],
  ['GET', '/images/get?names=alpine'],
  ['DELETE', '/images/alpine:3'],
  ['POST', '/images/prune'],
  ['POST', '/volumes/prune'],
  ['POST', '/networks/prune'],
  ['GET', '/secrets'],
  ['GET', '/services'],
  ['POST', '/swarm/init'],
  ['POST', '/plugins/pull?remote=any'],
  ['GET', '/system/df'],
  ['POST', '/auth'],
  ['GET', '/containers/..%2Fimages%2Fjson'],
  ['GET', '/containers/mosaic-user-abc%2f..%2fdatabase/json'],
  ['GET', '//containers/json'],
  ['GET', '/containers/./json'],
  ['GET', '/v1.41/../containers/json'],
  ['GET', '/containers/mosaic-user-abc%00/json'],
  ['GET', '/containers/mosaic-user-abc/logs?follow=1?stdout=1'],
  ['GET', 'http://docker/containers/json'],
]

test.group('Socket proxy · other requests', (group) => {
  group.each.setup(setUp())

  for (const [method, path] of BAD_REQUESTS) {
    test(`refuses ${method} ${path}`, async ({ assert }) => {
      const { status } = await surface.ask(method, path)
      assert.oneOf(status, [REFUSED, 400])
      assert.isEmpty(surface.engine.received)
    })
  }

  test('refuses to change the protocol of a connection', async ({ assert }) => {
    const headers = { connection: 'Upgrade', upgrade: 'tcp' }
    const path = '/containers/mosaic-user-abc/attach?stream=1'
    const { status } = await surface.ask('POST', path, undefined, headers)
    assert.equal(status, REFUSED)
  })

  test('lets nothing of an upgrade reach the engine', async ({ assert }) => {
    const headers = { connection: 'Upgrade', upgrade: 'tcp' }
    await surface.ask('POST', '/containers/mosaic-user-abc/start', undefined, headers)
    assert.notProperty(surface.engine.received[0].headers, 'upgrade')
  })

  test('cuts the version off: old ones take more than is checked', async ({ assert }) => {
    const path = '/v1.20/containers/mosaic-user-abc/start'
    const { status } = await surface.ask('POST', path, { HostConfig: { Privileged: true } })
    assert.equal(status, 200)
    const [received] = surface.engine.received
    assert.equal(received.path, '/containers/aaa/start')
    assert.equal(received.body, '')
  })
})

test.group('Socket proxy · containers of others', (group) => {
  group.each.setup(setUp())

  for (const [method, path] of [
    ['POST', 'start'],
    ['POST', 'stop'],
    ['POST', 'kill'],
    ['POST', 'pause'],
    ['POST', 'unpause'],
    ['POST', 'wait'],
    ['POST', 'update'],
    ['GET', 'logs'],
    ['GET', 'stats'],
    ['GET', 'archive?path=/run/mosaic/secrets.json'],
    ['PUT', 'archive?path=/'],
    ['DELETE', ''],
  ]) {
    test(`refuses ${method} ${path || 'itself'}`, async ({ assert }) => {
      for (const name of ['database', 'ddd', 'other', 'mosaic']) {
        const { status } = await surface.ask(
          method,
          `/containers/${name}/${path}`.replace(/\/$/, '')
        )
        assert.equal(status, REFUSED)
      }
      assert.isEmpty(surface.engine.received)
    })
  }

  test('acts by the id that it looked at, not by a name', async ({ assert }) => {
    await surface.ask('POST', '/containers/mosaic-user-abc/stop?t=3&signal=9')
    assert.deepInclude(surface.engine.received[0], {
      path: '/containers/aaa/stop',
      query: { t: '3' },
    })
  })

  test('tells of them that their name is taken, and nothing else', async ({ assert }) => {
    const { status, body } = await surface.ask('GET', '/containers/database/json')
    assert.equal(status, 200)
    assert.equal(body.Name, '/database')
    assert.deepEqual(body.Config, { Labels: {} })
    assert.notInclude(JSON.stringify(body), 'canary')
    assert.isEmpty(body.Mounts)
  })

  test("tells of Mosaic's own container without its keys", async ({ assert }) => {
    const { body } = await surface.ask('GET', '/containers/mosaic/json')
    assert.equal(body.HostConfig.NetworkMode, 'somewhere')
    assert.notInclude(JSON.stringify(body), 'canary')
  })

  test('lists those of the installation only, whatever is asked for', async ({ assert }) => {
    for (const filters of [undefined, { status: ['running'] }, { label: ['mosaic.agent'] }]) {
      const query = filters ? `&filters=${encodeURIComponent(JSON.stringify(filters))}` : ''
      assert.equal((await surface.ask('GET', `/containers/json?all=1${query}`)).status, 200)
    }
    for (const { query } of surface.engine.received) {
      assert.include(JSON.parse(query.filters).label, 'mosaic.installation=inst1')
    }
  })

  test('refuses to list those of another installation', async ({ assert }) => {
    const filters = JSON.stringify({ label: ['mosaic.installation=inst2'] })
    const path = `/containers/json?filters=${encodeURIComponent(filters)}`
    assert.equal((await surface.ask('GET', path)).status, REFUSED)
  })

  test('refuses filters in the form that it does not read', async ({ assert }) => {
    const filters = encodeURIComponent(JSON.stringify({ label: { 'mosaic.agent': true } }))
    assert.equal((await surface.ask('GET', `/events?filters=${filters}`)).status, 400)
  })

  test('refuses an update that lifts a limit', async ({ assert }) => {
    for (const body of [
      { Memory: 2 ** 40, MemorySwap: 2 ** 40 },
      { MemorySwap: -1 },
      { PidsLimit: -1 },
      { RestartPolicy: { Name: 'always' } },
      { Devices: [{ PathOnHost: '/dev/sda' }] },
    ]) {
      const { status } = await surface.ask('POST', '/containers/mosaic-user-abc/update', body)
      assert.equal(status, REFUSED)
    }
    assert.isEmpty(surface.engine.received)
  })

  test('lets an update through that the driver makes', async ({ assert }) => {
    const body = { CpuShares: 512, abortSignal: {} }
    await surface.ask('POST', '/containers/mosaic-user-abc/update', body)
    assert.deepEqual(surface.engine.received[0].body, { CpuShares: 512 })
  })
})

test.group('Socket proxy · files', (group) => {
  group.each.setup(setUp())

  const filler = (change: (body: Body) => void = () => {}) => {
    const labels = { ...OURS, 'mosaic.purpose': 'filler' }
    const mount = { Type: 'volume' as const, Source: 'mosaic-user-abc-state', Target: '/filled' }
    const body = structuredClone(fillerContainer(IMAGE_ID, labels, [mount])) as Body
    change(body)
    return surface.ask('POST', '/containers/create', body)
  }

  test("lets the driver's filler through, and files into it", async ({ assert }) => {
    assert.equal((await filler()).status, 201)
    const { status } = await surface.ask('PUT', '/containers/filler/archive?path=%2F', 'a tar')
    assert.equal(status, 200)
    assert.deepInclude(surface.engine.received[1], {
      path: '/containers/fff/archive',
      query: { path: '/' },
      body: 'a tar',
    })
  })

  test('never starts a filler', async ({ assert }) => {
    assert.equal((await surface.ask('POST', '/containers/filler/start')).status, REFUSED)
  })

  test('refuses a filler with a network, a bind or a volume of others', async ({ assert }) => {
    for (const change of [
      (body: Body) => (body.HostConfig.NetworkMode = 'agents'),
      (body: Body) => (body.HostConfig.Privileged = true),
      (body: Body) => (body.HostConfig.Mounts[0].Source = 'database'),
      (body: Body) =>
        (body.HostConfig.Mounts[0] = { Type: 'bind', Source: '/', Target: '/filled' }),
    ]) {
      assert.equal((await filler(change)).status, REFUSED)
    }
    assert.isEmpty(surface.engine.received)
  })

  test('refuses files into an agent', async ({ assert }) => {
    const path = '/containers/mosaic-user-abc/archive?path=/home/node/.openclaw'
    assert.equal((await surface.ask('PUT', path, 'a tar')).status, REFUSED)
  })

  test('refuses files into another folder of a filler', async ({ assert }) => {
    const path = '/containers/filler/archive?path=/etc'
    assert.equal((await surface.ask('PUT', path, 'a tar')).status, REFUSED)
  })

  test("reads an agent's token and data, and no other file", async ({ assert }) => {
    const read = (path: string) =>
      surface.ask('GET', `/containers/mosaic-user-abc/archive?path=${encodeURIComponent(path)}`)
    assert.equal((await read('/run/mosaic/secrets.json')).status, 200)
    assert.equal((await read('/home/node/.openclaw/.')).status, 200)
    for (const path of ['/', '/proc/1/environ', '/home/node/.openclaw/../..', '']) {
      assert.equal((await read(path)).status, REFUSED)
    }
  })
})

test.group('Socket proxy · volumes and networks', (group) => {
  group.each.setup(setUp())

  const volume = (body: Body) => surface.ask('POST', '/volumes/create', body)

  const network = (change: (body: Body) => void = () => {}) => {
    const body: Body = {
      Name: 'mosaic-user-abc-sealed',
      CheckDuplicate: true,
      Driver: 'bridge',
      EnableIPv6: false,
      Internal: true,
      IPAM: { Config: [{ Subnet: '10.213.4.8/29', Gateway: '10.213.4.9' }] },
      Labels: { ...OURS, 'mosaic.name': 'mosaic-user-abc' },
      Options: {
        'com.docker.network.bridge.name': 'mosa-0123abcd',
        'com.docker.network.bridge.inhibit_ipv4': 'true',
      },
    }
    change(body)
    return surface.ask('POST', '/networks/create', body)
  }

  test('lets a volume and a network of the driver through', async ({ assert }) => {
    assert.equal((await volume({ Name: 'mosaic-new-state', Labels: OURS })).status, 201)
    assert.equal((await network()).status, 201)
  })

  test('refuses a volume that is a folder of the machine', async ({ assert }) => {
    const DriverOpts = { type: 'none', o: 'bind', device: '/' }
    assert.equal((await volume({ Name: 'a', Labels: OURS, DriverOpts })).status, REFUSED)
    assert.equal((await volume({ Name: 'a', Labels: OURS, Driver: 'nfs' })).status, REFUSED)
  })

  test('refuses a volume without the label of the installation', async ({ assert }) => {
    assert.equal((await volume({ Name: 'a' })).status, REFUSED)
  })

  test('refuses to remove what is not ours', async ({ assert }) => {
    assert.equal((await surface.ask('DELETE', '/volumes/database')).status, REFUSED)
    assert.equal((await surface.ask('DELETE', '/networks/operator')).status, REFUSED)
    assert.isEmpty(surface.engine.received)
  })

  const BAD_NETWORKS: Record<string, (body: Body) => void> = {
    "in the operator's range": (body) => (body.IPAM.Config[0] = { Subnet: '192.168.7.0/24' }),
    'that is larger than the range': (body) => (body.IPAM.Config[0] = { Subnet: '10.0.0.0/8' }),
    'on a bridge that exists': (body) =>
      (body.Options['com.docker.network.bridge.name'] = 'docker0'),
    'of another driver': (body) => (body.Driver = 'macvlan'),
    'with a parent': (body) => (body.Options.parent = 'eth0'),
    'that others could join': (body) => (body.Attachable = true),
    'whose members reach each other': (body) =>
      (body.Options['com.docker.network.bridge.enable_icc'] = 'true'),
    'with IPv6': (body) => (body.EnableIPv6 = true),
    'made from another': (body) => (body.ConfigFrom = { Network: 'operator' }),
    'of another installation': (body) => (body.Labels['mosaic.installation'] = 'inst2'),
  }
  for (const [what, change] of Object.entries(BAD_NETWORKS)) {
    test(`refuses a network ${what}`, async ({ assert }) => {
      assert.equal((await network(change)).status, REFUSED)
      assert.isEmpty(surface.engine.received)
    })
  }

  test('tells of networks of others which ranges they take, and nothing else', async ({
    assert,
  }) => {
    const { body } = await surface.ask('GET', '/networks')
    const operator = body.find(({ Name }: { Name: string }) => Name === 'operator')
    assert.deepEqual(operator.IPAM, { Config: [{ Subnet: '192.168.7.0/24' }] })
    assert.notInclude(JSON.stringify(operator), 'canary')
  })

  test("lets agents and Mosaic join the installation's networks, nobody else and no others", async ({
    assert,
  }) => {
    const join = async (to: string, who: string, more: object = {}) => {
      const body = { Container: who, abortSignal: {}, ...more }
      return (await surface.ask('POST', `/networks/${to}/connect`, body)).status
    }
    assert.equal(
      await join('agents', 'mosaic', { EndpointConfig: { Aliases: ['mosaic-internal'] } }),
      200
    )
    assert.equal(await join('agents', 'mosaic-user-abc'), 200)
    assert.deepEqual(surface.engine.received[0].body, {
      Container: 'mmm',
      EndpointConfig: { Aliases: ['mosaic-internal'] },
    })
    assert.equal(await join('agents', 'database'), REFUSED)
    assert.equal(await join('agents', 'other'), REFUSED)
    assert.equal(await join('operator', 'mosaic'), REFUSED)
    const options = { EndpointConfig: { DriverOpts: { any: 'thing' } } }
    assert.equal(await join('agents', 'mosaic', options), REFUSED)
    assert.lengthOf(surface.engine.received, 2)
  })
})

test.group("Socket proxy · Mosaic's own container", (group) => {
  group.each.setup(setUp())

  const inspect = (name: string, from?: string) =>
    surface.ask('GET', `/containers/${name}/json`, undefined, {}, from)
  const join = (name: string, from?: string) =>
    surface.ask('POST', '/networks/agents/connect', { Container: name }, {}, from)

  test('is the one that asks: by its address, and told without its environment', async ({
    assert,
  }) => {
    for (const name of ['mosaic', 'mmm']) {
      const { body } = await inspect(name)
      assert.equal(body.HostConfig.NetworkMode, 'somewhere')
      assert.deepEqual(body.Config.Env, [])
      assert.equal((await join(name)).status, 200)
    }
  })

  test('is none that has the label of it, and none that another address has', async ({
    assert,
  }) => {
    const isForeign = async (name: string, from?: string) => {
      const { body } = await inspect(name, from)
      assert.deepEqual(body.Mounts, [], name)
      assert.deepEqual(body.NetworkSettings, { Networks: {} })
      assert.equal((await join(name, from)).status, REFUSED)
    }
    await isForeign('labelled')
    await isForeign('lll')
    await isForeign('database')
    await isForeign('mosaic', '127.0.0.2')
    assert.isEmpty(surface.engine.received)
  })

  test('is another one for each replica', async ({ assert }) => {
    surface.engine.containers.set('replica', { id: 'rrr', labels: {}, address: '127.0.0.3' })
    assert.equal((await join('replica', '127.0.0.3')).status, 200)
    assert.equal((await join('replica')).status, REFUSED)
    assert.equal((await join('mosaic', '127.0.0.3')).status, REFUSED)
  })
})

test.group('Socket proxy · images', (group) => {
  group.each.setup(setUp())

  test('lets an allowed image be fetched, at any tag', async ({ assert }) => {
    const path = '/images/create?fromImage=ghcr.io/openclaw/openclaw&tag=2&changes=USER+root'
    const answer = await surface.open('POST', path)
    assert.equal(answer.statusCode, 200)
    assert.deepEqual(surface.engine.received[0].query, {
      fromImage: 'ghcr.io/openclaw/openclaw',
      tag: '2',
    })
    answer.destroy()
  })

  for (const query of [
    'fromImage=alpine&tag=3',
    'fromImage=ghcr.io/openclaw/openclaw-other&tag=1',
    'fromImage=evil.example/ghcr.io/openclaw/openclaw&tag=1',
    'fromImage=mosaic-pinned&tag=1',
    'fromSrc=http://evil.example/root.tar&repo=mosaic-pinned&tag=1',
    'fromImage=ghcr.io/openclaw/openclaw&tag=1&fromImage=alpine',
    '',
  ]) {
    test(`refuses to fetch "${query}"`, async ({ assert }) => {
      const { status } = await surface.ask('POST', `/images/create?${query}`)
      assert.oneOf(status, [REFUSED, 400])
      assert.isEmpty(surface.engine.received)
    })
  }

  test('lets Mosaic pin an allowed image, and neither another one nor by another name', async ({
    assert,
  }) => {
    const tag = async (image: string, query: string) =>
      (await surface.ask('POST', `/images/${image}/tag?${query}`)).status
    assert.equal(await tag(IMAGE_ID, 'repo=mosaic-pinned&tag=a-b'), 200)
    assert.equal(await tag(FOREIGN_IMAGE_ID, 'repo=mosaic-pinned&tag=a-b'), REFUSED)
    assert.equal(await tag('alpine:3', 'repo=mosaic-pinned&tag=a-b'), REFUSED)
    assert.equal(await tag(IMAGE_ID, 'repo=nginx&tag=latest'), REFUSED)
    assert.lengthOf(surface.engine.received, 1)
  })

  test('tells nothing of images that are not allowed', async ({ assert }) => {
    assert.equal((await surface.ask('GET', '/images/alpine:3/json')).status, REFUSED)
    assert.equal((await surface.ask('GET', `/images/${IMAGE_ID}/json`)).status, 200)
    const path = '/images/ghcr.io/openclaw/openclaw:2/json'
    assert.equal((await surface.ask('GET', path)).status, 404)
  })
})

test.group('Socket proxy · streams', (group) => {
  group.each.setup(setUp())

  for (const path of ['/containers/mosaic-user-abc/logs?follow=1&stdout=1', '/events']) {
    test(`passes ${path} on as it comes, and ends it when the caller leaves`, async ({
      assert,
    }) => {
      const answer = await surface.open('GET', path)
      const chunks = answer[Symbol.asyncIterator]()
      assert.equal(String((await chunks.next()).value), 'first\n')

      const [stream] = surface.engine.streams
      stream.write('second\n')
      assert.equal(String((await chunks.next()).value), 'second\n')

      const ended = new Promise((resolve) => stream.once('close', resolve))
      answer.destroy()
      await ended
    })
  }

  test('ends the answer when the engine breaks off', async ({ assert }) => {
    const answer = await surface.open('GET', '/events')
    surface.engine.streams[0].destroy()
    await assert.rejects(async () => {
      await Array.fromAsync(answer)
    })
  })

  test('says so when the engine is away', async ({ assert }) => {
    await surface.engine.stop()
    const { status, body } = await surface.ask('GET', '/version')
    assert.equal(status, 502)
    assert.equal(body.message, 'socket proxy: The engine cannot be reached')
  })
})

test.group('Socket proxy · the first installation', (group) => {
  group.each.setup(setUp({ installation: null }))

  const list = async (id?: string) => {
    const filters = id ? JSON.stringify({ label: [`mosaic.installation=${id}`] }) : '{}'
    return (await surface.ask('GET', `/containers/json?filters=${encodeURIComponent(filters)}`))
      .status
  }

  test('is served from its first request on, and no other beside it', async ({ assert }) => {
    assert.equal(await list(), REFUSED)
    assert.equal(await list('inst1'), 200)
    assert.equal(await list('inst2'), REFUSED)
    assert.equal(await list(), 200)
  })

  test('says what to do with another one, after a restore', async ({ assert }) => {
    await list('inst1')
    const filters = encodeURIComponent(JSON.stringify({ label: ['mosaic.installation=inst2'] }))
    const { body } = await surface.ask('GET', `/containers/json?filters=${filters}`)
    assert.include(JSON.stringify(body), 'docs/backup.md')
  })

  test('owns nothing before that', async ({ assert }) => {
    const stop = '/containers/mosaic-user-abc/stop'
    assert.equal((await surface.ask('POST', stop)).status, REFUSED)
  })
})
