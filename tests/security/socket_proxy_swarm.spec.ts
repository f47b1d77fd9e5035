import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from '@japa/runner'
import { AgentNetwork } from '#runtimes/drivers/swarm/agent_network'
import { StateMounts } from '#runtimes/drivers/swarm/state_mounts'
import { Steward } from '#runtimes/drivers/swarm/steward'
import type { ServiceSpec } from '#runtimes/drivers/swarm/objects'
import { guardRules } from '#runtimes/drivers/swarm/guard_rules'
import { shortHash } from '#runtimes/engine/short_hash'
import {
  IMAGE_ID,
  INSTALLATION,
  OURS,
  SocketProxySurface,
} from '#tests/doubles/socket_proxy_surface'

const REFUSED = 422
/** The former for a body that lacks something. */
const REFUSALS = [400, REFUSED]
const SHARED = '/srv/agents'
const VOLUMES = { Name: 'acme/volumes:1', Options: { pool: 'agents', mountopts: 'rw,sec=sys' } }
const NAME = 'mosaic-user-abc'
/** The folder of this installation in the shared one. */
const FOLDER = `mosaic-${shortHash(INSTALLATION)}`
/** The bridge of the network `agents` on each node. */
const BRIDGE = 'br-id-of-agents'

let surface: SocketProxySurface

type Body = Record<string, any>

/** The proxy's own copies of the scripts of roots. */
const SCRIPT = '#!/bin/sh\nexec guard\n'
const scripts = mkdtempSync(join(tmpdir(), 'mosaic-scripts-'))
writeFileSync(join(scripts, 'guard.sh'), SCRIPT)
writeFileSync(join(scripts, 'steward.mjs'), SCRIPT)

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
        Healthcheck: { Test: ['NONE'] },
        StopSignal: 'SIGTERM',
        StopGracePeriod: 5e9,
        DNSConfig: { Nameservers: ['192.0.2.1'] },
        Hostname: NAME,
        Command: ['/bin/sh', '/run/mosaic/keeper.sh'],
        Env: ['AGENT_ID=user/abc'],
        Labels: { ...OURS, 'mosaic.name': NAME },
        Mounts: [
          { Type: 'tmpfs', Target: '/tmp', TmpfsOptions: { SizeBytes: 2 ** 28, Mode: 0o1777 } },
          {
            Type: 'volume',
            Source: `${NAME}-data`,
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

/** What the driver makes is caught before it reaches an engine. */
class Caught extends Error {
  constructor(readonly spec: ServiceSpec) {
    super('caught')
  }
}

const services = {
  find: async () => null,
  create: async (spec: ServiceSpec) => {
    throw new Caught(spec)
  },
  remove: async () => {},
}
const reference = (kind: 'Secret' | 'Config') => async (file: string) => ({
  File: {
    Name: `/run/mosaic/${kind === 'Secret' ? 'steward.json' : file}`,
    UID: '0',
    GID: '0',
    Mode: 0o444,
  },
  [`${kind}ID`]: kind === 'Secret' ? 's1' : file.split('.')[0],
  [`${kind}Name`]: file,
})
const files = {
  script: reference('Config'),
  secret: reference('Secret'),
  deleteSecret: async () => {},
}
const cluster = { nodes: async () => [], node: async () => null }

async function made(work: () => Promise<unknown>): Promise<Body> {
  const { spec } = (await work().catch((error: unknown) => error)) as Caught
  return JSON.parse(JSON.stringify(spec))
}

/** A guard's service, as the swarm driver asks for it. */
function guard(egress: 'open' | 'sealed' = 'open'): Promise<Body> {
  const network = { Id: 'id-of-agents', Labels: OURS, Scope: 'swarm' }
  const parts = { cluster, services, files }
  const agents = new AgentNetwork(
    { find: async () => network } as never,
    INSTALLATION,
    parts as never
  )
  const mosaic = { address: '10.0.0.10', port: 3334 }
  return made(() => agents.prepare({ mosaic, egress, sources: ['10.1.0.0/16'], image: IMAGE_ID }))
}

/** A steward's service, as the swarm driver asks for it. */
function steward(sharedPath: string | null = null): Promise<Body> {
  const settings = { sharedPath, volumeDriver: null, volumeOptions: [] }
  const mounts = new StateMounts(INSTALLATION, settings)
  const one = new Steward(INSTALLATION, { cluster, services, files, mounts } as never)
  const place = { name: NAME, node: 'n1', image: IMAGE_ID, network: 'agents', constraints: [] }
  return made(() => one.export(place, { signal: AbortSignal.timeout(60_000) }).toArray())
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
  'a name server': (body) => (container(body).DNSConfig = { Nameservers: ['10.0.0.1'] }),
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
      Source: `${SHARED}/${FOLDER}/mosaic-user-xyz`,
      Target: '/home/node/.openclaw',
    }),
  'its folder at another installation': (body) =>
    container(body).Mounts.push({
      Type: 'bind',
      Source: `${SHARED}/mosaic-0a1b2c3d/${NAME}`,
      Target: '/home/node/.openclaw',
    }),
  'a way out of its shared folder': (body) =>
    container(body).Mounts.push({
      Type: 'bind',
      Source: `${SHARED}/../etc/${NAME}`,
      Target: '/home/node/.openclaw',
    }),
  'the volume of the same agent in containers': (body) =>
    (container(body).Mounts[1].Source = `${NAME}-state`),
  'the volume of another agent': (body) =>
    (container(body).Mounts[1].Source = 'mosaic-user-xyz-data'),
  'a volume by the label of another agent': (body) => {
    container(body).Mounts[1].Source = 'mosaic-user-xyz-data'
    container(body).Mounts[1].VolumeOptions.Labels['mosaic.name'] = 'mosaic-user-xyz'
  },
  'the volume of another stack': (body) => {
    body.Name = 'grafana'
    body.Labels['mosaic.name'] = 'grafana'
    container(body).Mounts[1].Source = 'grafana-data'
    container(body).Mounts[1].VolumeOptions.Labels['mosaic.name'] = 'grafana'
  },
  'options of a volume': (body) =>
    (container(body).Mounts[1].VolumeOptions.DriverConfig = {
      Name: 'local',
      Options: { type: 'none', o: 'bind', device: '/' },
    }),
  'other options of the volume driver': (body) =>
    (container(body).Mounts[1].VolumeOptions.DriverConfig = {
      ...VOLUMES,
      Options: { ...VOLUMES.Options, pool: 'operators' },
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
  'an image that only other nodes have': (body) =>
    (container(body).Image = `sha256:${'e'.repeat(64)}`),
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

const setEnv = (body: Body, name: string, value: string) => {
  container(body).Env = [
    ...container(body).Env.filter((one: string) => !one.startsWith(`${name}=`)),
    `${name}=${value}`,
  ]
}

const secret = (file: string) => ({
  File: { Name: `/run/mosaic/${file}`, UID: '0', GID: '0', Mode: 0o555 },
  SecretID: 's1',
  SecretName: 's',
})

/** What would have either root run something else than its script. */
const BAD_ROOTS: Record<string, (body: Body) => void> = {
  'another command': (body) => (container(body).Command = ['/bin/sh', '-c', 'id']),
  'another script': (body) => (container(body).Configs[0].ConfigID = 'keeper'),
  'a script elsewhere': (body) => (container(body).Configs[0].File.Name = '/run/mosaic/other.sh'),
  'a second script': (body) => container(body).Configs.push(container(body).Configs[0]),
  'no script': (body) => (container(body).Configs = []),
  'a secret over its script': (body) =>
    (container(body).Secrets = [secret(container(body).Configs[0].File.Name.split('/').at(-1))]),
  'a secret of another name': (body) => (container(body).Secrets = [secret('evil.so')]),
  'options of Node': (body) =>
    container(body).Env.push('NODE_OPTIONS=--import=data:text/javascript,0'),
  'a library to load first': (body) => container(body).Env.push('LD_PRELOAD=/run/mosaic/evil.so'),
  'another path': (body) => container(body).Env.push('PATH=/node/usr/bin'),
  'no environment': (body) => delete container(body).Env,
  'a health check of its own': (body) =>
    (container(body).Healthcheck = { Test: ['CMD-SHELL', 'id'] }),
  'one more capability': (body) => (container(body).CapabilityAdd = ['SYS_ADMIN']),
}

const CHAIN = `MOSAIC-${shortHash(BRIDGE)}`
const OTHER = guardRules({
  bridge: 'br-id-of-operat',
  mosaic: { address: '10.0.0.10', port: 3334 },
  egress: 'open',
  sources: [],
})

const BAD_GUARDS: Record<string, (body: Body) => void> = {
  ...BAD_ROOTS,
  'one more word': (body) => container(body).Command.push('-c'),
  'another name of its node': (body) => setEnv(body, 'MOSAIC_NODE', '{{.Service.Labels}}'),
  'writable programs': (body) => (container(body).Mounts.at(-1).ReadOnly = false),
  'more of the node': (body) => (container(body).Mounts.at(-1).Source = '/'),
  'the network of agents': (body) => (body.TaskTemplate.Networks = [{ Target: 'agents' }]),
  'a bridge that is not ours': (body) => {
    setEnv(body, 'MOSAIC_BRIDGE', 'br-id-of-operat')
    setEnv(body, 'MOSAIC_RULES', OTHER.rules)
    setEnv(body, 'MOSAIC_JUMPS', OTHER.jumps)
  },
  'rules of another chain': (body) =>
    setEnv(body, 'MOSAIC_RULES', '*filter\n-A INPUT -s 0.0.0.0/0 -j ACCEPT\nCOMMIT'),
  'a table of its choice': (body) =>
    setEnv(body, 'MOSAIC_RULES', `*nat\n:${CHAIN} - [0:0]\nCOMMIT`),
  'a jump out of its chain': (body) =>
    setEnv(
      body,
      'MOSAIC_RULES',
      `*filter\n:${CHAIN} - [0:0]\n-A ${CHAIN} -p tcp -j DOCKER\nCOMMIT`
    ),
  'packets of others': (body) => setEnv(body, 'MOSAIC_JUMPS', `filter INPUT -i eth0 -j ${CHAIN}`),
  'packets of everybody': (body) => setEnv(body, 'MOSAIC_JUMPS', `filter INPUT -j ${CHAIN}`),
}

const BAD_STEWARDS: Record<string, (body: Body) => void> = {
  ...BAD_ROOTS,
  'an owner of another installation': (body) => (container(body).Command[3] = `inst2 ${NAME}`),
  'one more word': (body) => container(body).Command.push('--inspect=0.0.0.0'),
  'data of another installation': (body) =>
    setEnv(body, 'MOSAIC_DATA', `/shared/mosaic-0a1b2c3d/${NAME}`),
  'data of another agent': (body) =>
    setEnv(body, 'MOSAIC_DATA', `/shared/${FOLDER}/mosaic-user-xyz`),
  'all shared data': (body) => setEnv(body, 'MOSAIC_DATA', '/shared'),
  'the volume of another stack': (body) => {
    const mount = container(body).Mounts.at(-1)
    mount.Source = 'grafana-data'
    mount.VolumeOptions.Labels['mosaic.name'] = 'grafana'
  },
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
    objects.set('/configs/steward', stored(OURS, base64(SCRIPT)))
    objects.set('/configs/foreign', stored({}, 'c2VjcmV0'))
    objects.set(`/services/${NAME}`, { ID: 'ours', Spec: { Name: NAME, Labels: OURS } })
    objects.set('/services/database', {
      ID: 'foreign',
      Spec: { Name: 'database', Labels: {}, TaskTemplate: { canary: true } },
    })
    objects.set('/nodes/n1', {
      ID: 'n1',
      Spec: { Role: 'worker', Labels: { 'zone': 'a', 'mosaic.0a1b2c3d.proof': 'p' } },
    })
    await surface.start({
      swarm: { sharedFolder: SHARED, volumes: VOLUMES, scripts },
    })
    return () => surface.stop()
  })

  const create = (body: Body) => surface.ask('POST', '/v1.41/services/create', body)

  test('lets through an agent, and the roots that the driver makes', async ({ assert }) => {
    const bodies = [
      agent(),
      await guard(),
      await guard('sealed'),
      await steward(),
      await steward(SHARED),
    ]
    for (const body of bodies) {
      const { status, body: answer } = await create(body)
      assert.equal(status, 201, JSON.stringify(answer))
    }
    const [agents, guarding, , kept] = surface.engine.received as any[]
    assert.deepEqual(agents.body.TaskTemplate.Networks, [{ Target: 'id-of-agents' }])
    assert.deepEqual(guarding.body.TaskTemplate.Networks, [{ Target: 'host' }])
    assert.equal(container(kept.body).Command[3], `${INSTALLATION} ${NAME}`)
    assert.lengthOf(container(kept.body).Secrets, 1)
  })

  test('lets an agent have its own folder of the shared one', async ({ assert }) => {
    const body = agent()
    const Source = `${SHARED}/${FOLDER}/${NAME}`
    container(body).Mounts[1] = { Type: 'bind', Source, Target: '/home/node/.openclaw' }
    assert.equal((await create(body)).status, 201)
  })

  test('lets an agent have a volume of the driver that the operator named', async ({ assert }) => {
    const body = agent()
    const mounts = new StateMounts(INSTALLATION, {
      sharedPath: null,
      volumeDriver: VOLUMES.Name,
      volumeOptions: ['pool=agents', 'mountopts=rw,sec=sys'],
    })
    container(body).Mounts[1] = mounts.forAgent(NAME)
    assert.equal((await create(body)).status, 201)
    const [passed] = surface.engine.received as any[]
    assert.deepEqual(container(passed.body).Mounts[1].VolumeOptions.DriverConfig, VOLUMES)
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
      const body = await guard()
      change(body)
      assert.include(REFUSALS, (await create(body)).status)
      assert.lengthOf(surface.engine.received, 0)
    })

  test('refuses a steward with {0}')
    .with(Object.entries(BAD_STEWARDS))
    .run(async ({ assert }, [, change]) => {
      const body = await steward()
      change(body)
      assert.include(REFUSALS, (await create(body)).status)
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
    const own = `mosaic.${shortHash(INSTALLATION)}.guarded`
    const body = {
      Role: 'manager',
      Availability: 'drain',
      Labels: { [own]: 'yes', 'mosaic.0a1b2c3d.guarded': 'yes', 'zone': 'b' },
    }
    await surface.ask('POST', '/nodes/n1/update?version=1', body)
    const [{ body: passed }] = surface.engine.received as any[]
    const Labels = { 'zone': 'a', 'mosaic.0a1b2c3d.proof': 'p', [own]: 'yes' }
    assert.deepEqual(passed, { Role: 'worker', Labels })
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
