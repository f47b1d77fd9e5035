import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from '@japa/runner'
import { IMAGE_ID, OURS, SocketProxySurface } from '#tests/doubles/socket_proxy_surface'

const REFUSED = 422
/** The former for a body that lacks something. */
const REFUSALS = [400, REFUSED]
const SHARED = '/srv/agents'
const NAME = 'mosaic-user-abc'

let surface: SocketProxySurface

type Body = Record<string, any>

/** The proxy's own copies of the scripts of roots. */
const SCRIPT = '#!/bin/sh\nexec guard\n'
const scripts = mkdtempSync(join(tmpdir(), 'mosaic-scripts-'))
writeFileSync(join(scripts, 'guard.sh'), SCRIPT)

const base64 = (text: string) => Buffer.from(text).toString('base64')

/** An agent's service, as the swarm driver asks for it. */
function agent(): Body {
  return {
    Name: NAME,
    Labels: { ...OURS, 'mosaic.agent': 'user/abc', 'mosaic.name': NAME, 'mosaic.token': '9:ab' },
    Mode: { Replicated: { Replicas: 0 } },
    TaskTemplate: {
      Resources: {
        Limits: { MemoryBytes: 2 ** 31, NanoCPUs: 2e9, Pids: 512 },
        Reservations: { MemoryBytes: 2 ** 30 },
      },
      RestartPolicy: { Condition: 'none' },
      Networks: [{ Target: 'agents' }],
      Placement: { Constraints: ['node.id==n1'] },
      LogDriver: { Name: 'json-file', Options: { 'max-size': '1m', 'max-file': '2' } },
      ForceUpdate: 0,
      ContainerSpec: {
        Image: IMAGE_ID,
        User: '1000:1000',
        Init: true,
        ReadOnly: true,
        CapabilityDrop: ['ALL'],
        HealthCheck: { Test: ['NONE'] },
        StopSignal: 'SIGTERM',
        StopGracePeriod: 5e9,
        Hostname: NAME,
        Command: ['/bin/sh', '/run/mosaic/keeper.sh'],
        Env: ['AGENT_ID=user/abc'],
        Labels: { ...OURS, 'mosaic.name': NAME },
        Mounts: [
          { Type: 'tmpfs', Target: '/tmp', TmpfsOptions: { SizeBytes: 2 ** 28, Mode: 0o1777 } },
          {
            Type: 'volume',
            Source: `${NAME}-state`,
            Target: '/home/node/.openclaw',
            VolumeOptions: { NoCopy: true, Labels: { ...OURS, 'mosaic.name': NAME } },
          },
        ],
        Secrets: [
          {
            File: { Name: '/run/mosaic/secrets.json', UID: '1000', GID: '1000', Mode: 0o400 },
            SecretID: 's1',
            SecretName: 'mosaic-token',
          },
        ],
        Configs: [
          {
            File: { Name: '/run/mosaic/keeper.sh', UID: '0', GID: '0', Mode: 0o444 },
            ConfigID: 'keeper',
            ConfigName: 'mosaic-keeper',
          },
        ],
      },
    },
    EndpointSpec: {
      Mode: 'dnsrr',
      Ports: [{ Protocol: 'tcp', TargetPort: 18789, PublishMode: 'host' }],
    },
    UpdateConfig: { Parallelism: 0, Order: 'stop-first', FailureAction: 'continue' },
  }
}

function guard(): Body {
  const body = agent()
  const { ContainerSpec: container } = body.TaskTemplate
  const labels = { ...OURS, 'mosaic.purpose': 'guard', 'mosaic.name': 'mosaic-1-guard' }
  body.TaskTemplate.Networks = [{ Target: 'host' }]
  body.TaskTemplate.RestartPolicy = { Condition: 'any', Delay: 1e9 }
  delete body.EndpointSpec
  Object.assign(container, {
    User: '0:0',
    CapabilityAdd: ['NET_ADMIN', 'NET_RAW', 'SYS_CHROOT'],
    Command: ['/bin/sh', '/run/mosaic/guard.sh'],
    Mounts: [{ Type: 'bind', Source: '/usr', Target: '/node/usr', ReadOnly: true }],
    Secrets: [],
  })
  container.Configs[0].ConfigID = 'guard'
  container.Configs[0].File.Name = '/run/mosaic/guard.sh'
  return { ...body, Name: 'mosaic-1-guard', Labels: labels, Mode: { Global: {} } }
}

const container = (body: Body): Body => body.TaskTemplate.ContainerSpec

const BAD: Record<string, (body: Body) => void> = {
  'the root user': (body) => (container(body).User = '0:0'),
  'a user by name': (body) => (container(body).User = 'root'),
  'a capability': (body) => (container(body).CapabilityAdd = ['NET_ADMIN']),
  'kept capabilities': (body) => (container(body).CapabilityDrop = []),
  'no word on capabilities': (body) => delete container(body).CapabilityDrop,
  'a writable root': (body) => (container(body).ReadOnly = false),
  'privileges': (body) => (container(body).Privileges = { SELinuxContext: { Disable: true } }),
  'more groups': (body) => (container(body).Groups = ['docker']),
  'a kernel setting': (body) => (container(body).Sysctls = { 'net.ipv4.ip_forward': '1' }),
  'a folder of a node': (body) =>
    container(body).Mounts.push({ Type: 'bind', Source: '/', Target: '/shared' }),
  'the socket of the engine': (body) =>
    container(body).Mounts.push({
      Type: 'bind',
      Source: '/var/run/docker.sock',
      Target: '/home/node/.openclaw',
    }),
  'the programs of a node': (body) =>
    container(body).Mounts.push({
      Type: 'bind',
      Source: '/usr',
      Target: '/node/usr',
      ReadOnly: true,
    }),
  'all of the shared folder': (body) =>
    container(body).Mounts.push({ Type: 'bind', Source: SHARED, Target: '/shared' }),
  'the shared folder of another agent': (body) =>
    container(body).Mounts.push({
      Type: 'bind',
      Source: `${SHARED}/mosaic-0a1b2c3d/mosaic-user-xyz`,
      Target: '/home/node/.openclaw',
    }),
  'a way out of its shared folder': (body) =>
    container(body).Mounts.push({
      Type: 'bind',
      Source: `${SHARED}/../etc/${NAME}`,
      Target: '/home/node/.openclaw',
    }),
  'the volume of another agent': (body) =>
    (container(body).Mounts[1].Source = 'mosaic-user-xyz-state'),
  'a volume by the label of another agent': (body) => {
    container(body).Mounts[1].Source = 'mosaic-user-xyz-state'
    container(body).Mounts[1].VolumeOptions.Labels['mosaic.name'] = 'mosaic-user-xyz'
  },
  'options of a volume': (body) =>
    (container(body).Mounts[1].VolumeOptions.DriverConfig = {
      Name: 'local',
      Options: { type: 'none', o: 'bind', device: '/' },
    }),
  'the network of the node': (body) => (body.TaskTemplate.Networks = [{ Target: 'host' }]),
  'a network that is not ours': (body) => (body.TaskTemplate.Networks = [{ Target: 'operator' }]),
  'two networks': (body) => body.TaskTemplate.Networks.push({ Target: 'agents' }),
  'a port of its choice': (body) => (body.EndpointSpec.Ports[0].PublishedPort = 443),
  'a port of the ingress': (body) => (body.EndpointSpec.Ports[0].PublishMode = 'ingress'),
  'another port': (body) => (body.EndpointSpec.Ports[0].TargetPort = 22),
  'a secret that is not ours': (body) => (container(body).Secrets[0].SecretID = 'foreign'),
  'a secret that is not there': (body) => (container(body).Secrets[0].SecretID = 'none'),
  'a config that is not ours': (body) => (container(body).Configs[0].ConfigID = 'foreign'),
  'an image by name': (body) => (container(body).Image = 'ghcr.io/openclaw/openclaw:1'),
  'an image that is not allowed': (body) =>
    (container(body).Image = `alpine@sha256:${'d'.repeat(64)}`),
  'no limit of memory': (body) => delete body.TaskTemplate.Resources.Limits.MemoryBytes,
  'no limit of processes': (body) => delete body.TaskTemplate.Resources.Limits.Pids,
  'a restart by itself': (body) => (body.TaskTemplate.RestartPolicy = { Condition: 'any' }),
  'many replicas': (body) => (body.Mode = { Replicated: { Replicas: 1000 } }),
  'a replica on each node': (body) => (body.Mode = { Global: {} }),
  'a plugin': (body) => (body.TaskTemplate.PluginSpec = { Name: 'any' }),
  'another runtime': (body) => (body.TaskTemplate.Runtime = 'plugin'),
  'the label of another installation': (body) => (body.Labels['mosaic.installation'] = 'inst2'),
  'labels of others': (body) => (body.Labels['com.docker.stack.namespace'] = 'mosaic'),
  'the name of another agent': (body) => (body.Labels['mosaic.name'] = 'mosaic-user-xyz'),
  'an unknown purpose': (body) => (body.Labels['mosaic.purpose'] = 'any'),
  'an unknown field': (body) => (body.Novelty = 'on'),
}

const BAD_GUARDS: Record<string, (body: Body) => void> = {
  'another command': (body) => (container(body).Command = ['/bin/sh', '-c', 'id']),
  'another script': (body) => (container(body).Configs[0].ConfigID = 'keeper'),
  'a script elsewhere': (body) => (container(body).Configs[0].File.Name = '/run/mosaic/other.sh'),
  'a second script': (body) => container(body).Configs.push(container(body).Configs[0]),
  'no script': (body) => (container(body).Configs = []),
  'one more capability': (body) => (container(body).CapabilityAdd = ['SYS_ADMIN']),
  'writable programs': (body) => (container(body).Mounts[0].ReadOnly = false),
  'more of the node': (body) => (container(body).Mounts[0].Source = '/'),
  'the network of agents': (body) => (body.TaskTemplate.Networks = [{ Target: 'agents' }]),
}

test.group('Socket proxy · a swarm', (group) => {
  group.setup(() => () => rmSync(scripts, { recursive: true }))
  group.each.setup(async () => {
    surface = new SocketProxySurface()
    const { objects } = surface.engine
    const stored = (Labels: object, Data?: string) => ({ ID: 'id', Spec: { Labels, Data } })
    objects.set('/secrets/s1', stored(OURS))
    objects.set('/secrets/foreign', stored({}))
    objects.set('/configs/keeper', stored(OURS, base64('another')))
    objects.set('/configs/guard', stored(OURS, base64(SCRIPT)))
    objects.set('/configs/foreign', stored({}, 'c2VjcmV0'))
    objects.set(`/services/${NAME}`, { ID: 'ours', Spec: { Name: NAME, Labels: OURS } })
    objects.set('/services/database', {
      ID: 'foreign',
      Spec: { Name: 'database', Labels: {}, TaskTemplate: { canary: true } },
    })
    objects.set('/nodes/n1', { ID: 'n1', Spec: { Role: 'worker', Labels: { zone: 'a' } } })
    await surface.start({
      swarm: { sharedFolder: SHARED, scripts },
    })
    return () => surface.stop()
  })

  const create = (body: Body) => surface.ask('POST', '/v1.41/services/create', body)

  test('lets through an agent and the guard of a node', async ({ assert }) => {
    assert.equal((await create(agent())).status, 201)
    assert.equal((await create(guard())).status, 201)
    const [made, guarding] = surface.engine.received as any[]
    assert.deepEqual(made.body.TaskTemplate.Networks, [{ Target: 'id-of-agents' }])
    assert.deepEqual(guarding.body.TaskTemplate.Networks, [{ Target: 'host' }])
  })

  test('lets an agent have its own folder of the shared one', async ({ assert }) => {
    const body = agent()
    const Source = `${SHARED}/mosaic-0a1b2c3d/${NAME}`
    container(body).Mounts[1] = { Type: 'bind', Source, Target: '/home/node/.openclaw' }
    assert.equal((await create(body)).status, 201)
  })

  test('refuses an agent with {0}')
    .with(Object.entries(BAD))
    .run(async ({ assert }, [, change]) => {
      const body = agent()
      change(body)
      assert.include(REFUSALS, (await create(body)).status)
      const changed = await surface.ask('POST', `/v1.41/services/${NAME}/update?version=1`, body)
      assert.include(REFUSALS, changed.status)
      assert.lengthOf(surface.engine.received, 0)
    })

  test('refuses a guard with {0}')
    .with(Object.entries(BAD_GUARDS))
    .run(async ({ assert }, [, change]) => {
      const body = guard()
      change(body)
      assert.equal((await create(body)).status, REFUSED)
      assert.lengthOf(surface.engine.received, 0)
    })

  test('changes and removes nothing of others: {0} {1}')
    .with([
      ['POST', '/services/database/update?version=1'],
      ['DELETE', '/services/database'],
      ['GET', '/services/database/logs?stdout=1'],
      ['DELETE', '/secrets/foreign'],
      ['GET', '/configs/foreign'],
      ['DELETE', '/configs/foreign'],
      ['GET', '/swarm'],
      ['GET', '/swarm/unlockkey'],
      ['POST', '/swarm/leave'],
      ['DELETE', '/nodes/n1'],
    ])
    .run(async ({ assert }, [method, path]) => {
      const { status, body } = await surface.ask(
        method,
        path,
        method === 'POST' ? agent() : undefined
      )
      assert.equal(status, REFUSED)
      assert.notInclude(JSON.stringify(body), 'c2VjcmV0')
      assert.lengthOf(surface.engine.received, 0)
    })

  test('tells of the service of another that its name is taken', async ({ assert }) => {
    const { body } = await surface.ask('GET', '/services/database')
    assert.deepEqual(body, { ID: 'foreign', Spec: { Name: 'database', Labels: {} } })
  })

  test('changes no role of a node, only labels of its own', async ({ assert }) => {
    const body = {
      Role: 'manager',
      Availability: 'drain',
      Labels: { 'mosaic.a': '1', 'zone': 'b' },
    }
    await surface.ask('POST', '/nodes/n1/update?version=1', body)
    const [{ body: passed }] = surface.engine.received as any[]
    assert.deepEqual(passed, { Role: 'worker', Labels: { 'zone': 'a', 'mosaic.a': '1' } })
  })
})

test.group('Socket proxy · where no swarm is allowed', (group) => {
  group.each.setup(async () => {
    surface = new SocketProxySurface()
    await surface.start()
    return () => surface.stop()
  })

  test('refuses every request about one', async ({ assert }) => {
    for (const path of ['/services', '/tasks', '/nodes', '/secrets', '/configs']) {
      assert.equal((await surface.ask('GET', path)).status, REFUSED)
    }
    assert.equal((await surface.ask('POST', '/services/create', agent())).status, REFUSED)
  })
})
