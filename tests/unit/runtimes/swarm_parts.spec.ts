import { createHash, randomUUID } from 'node:crypto'
import { test } from '@japa/runner'
import { Secret } from '@adonisjs/core/helpers'
import { agentService, withoutToken } from '#runtimes/drivers/swarm/agent_service'
import { loadOf } from '#runtimes/drivers/swarm/capacity'
import { DrainedNodes } from '#runtimes/drivers/swarm/drained_nodes'
import { memoryOfNodes } from '#runtimes/drivers/swarm/node_memory'
import { labelled } from '#runtimes/drivers/swarm/options'
import { guardRules } from '#runtimes/drivers/swarm/guard_rules'
import { digestOf } from '#runtimes/drivers/swarm/images'
import type { Cluster, ClusterNode } from '#runtimes/drivers/swarm/cluster'
import type { Service, Task, TaskState } from '#runtimes/drivers/swarm/objects'
import { endpointOf, observe, sightOf } from '#runtimes/drivers/swarm/observation'
import { LABEL } from '#runtimes/engine/labels'

const NODE: ClusterNode = {
  id: 'n1',
  name: 'worker',
  address: '10.0.0.7',
  isManager: false,
  isReady: true,
  isLost: false,
  labels: {},
  memory: 0,
  processors: 0,
}

const SPEC = {
  name: 'mosaic-user-1',
  agent: 'user/1',
  installation: 'here',
  generation: 4,
  hash: 'abc',
  apiUrl: 'http://10.0.0.1:3334',
  token: new Secret(randomUUID()),
  image: null,
  limits: { memoryMb: 512, cpus: 0.5, processes: 64 },
}

const placed = (isShared: boolean, egress: 'open' | 'sealed' = 'open') =>
  agentService({
    spec: SPEC,
    image: 'sha256:1',
    placement: { network: 'n', constraints: ['node.id==n1'] },
    shape: 's',
    engine: 'a-swarm',
    state: {},
    secrets: [],
    configs: [],
    isShared,
    egress,
    reserve: 50,
  })

function service(replicas: number): Service {
  const Spec = { ...placed(false), Mode: { Replicated: { Replicas: replicas } } }
  return { ID: 's1', Version: { Index: 1 }, CreatedAt: '2026-01-01T00:00:00Z', Spec }
}

function task(State: TaskState, more: Partial<Task['Status']> = {}, start = 1): Task {
  return {
    ID: `t${start}`,
    CreatedAt: '2026-01-01T00:00:00Z',
    NodeID: NODE.id,
    DesiredState: 'running',
    Spec: { ContainerSpec: { Image: '' }, ForceUpdate: start },
    Status: {
      State,
      Timestamp: '2026-01-01T00:00:01Z',
      PortStatus: { Ports: [{ PublishedPort: 32_800 }] },
      ...more,
    },
  }
}

const ended = (ExitCode: number) => ({ ContainerStatus: { ContainerID: 'c', ExitCode } })
const nothing = async () => []

test.group('Runtime | swarm, its parts', () => {
  test('the load of a node is its running agents, and what is reserved for them', ({ assert }) => {
    const on = (NodeID: string, name: string, State: TaskState = 'running'): Task => ({
      ...task(State),
      NodeID,
      Spec: {
        ContainerSpec: { Image: '', Labels: { [LABEL.name]: name } },
        Resources: { Reservations: { MemoryBytes: 100 } },
      },
    })
    const tasks = [on('n1', 'a'), on('n1', 'b'), on('n1', 'c', 'shutdown'), on('n2', 'd')]
    const agents = new Map(['a', 'c', 'd'].map((name) => [name, `user/${name}`]))
    // Its node was lost, and it runs elsewhere by now.
    tasks.push(on('n1', 'e'), { ...on('n2', 'e'), CreatedAt: '2026-01-02T00:00:00Z' })
    agents.set('e', 'user/e')
    const node = { id: 'n1', memory: 1000 }
    assert.deepEqual(loadOf(node, { tasks: [...tasks, on('n1', 'guard')], agents, used: 7 }), {
      memory: { total: 1000, promised: 100, used: 7 },
      instances: [{ name: 'a', agent: 'user/a' }],
    })
  })

  test('the latest report of each guard counts, in whatever order they arrive', ({ assert }) => {
    const lines = [
      'memory n1 300 20',
      'memory n1 200 10',
      'iptables: busy',
      'memory n2 5 7',
      'memory',
    ]
    assert.deepEqual(
      [...memoryOfNodes(lines)],
      [
        ['n1', 300 * 1024],
        ['n2', 5 * 1024],
      ]
    )
  })

  test('a drained node is excluded from starts, and refuses an agent with data on it', async ({
    assert,
  }) => {
    const nodes: ClusterNode[] = [NODE, { ...NODE, id: 'n2', labels: {} }]
    const cluster = {
      nodes: async () => nodes,
      node: async (id: string) => nodes.find((node) => node.id === id) ?? null,
      label: async (id: string, labels: Record<string, string>) => {
        const at = nodes.findIndex((node) => node.id === id)
        nodes[at] = { ...nodes[at], labels: { ...nodes[at].labels, ...labels } }
      },
    }
    const drained = new DrainedNodes('here', cluster as unknown as Cluster)
    assert.deepEqual(await drained.constraints(), [])
    await drained.set('n2', true)
    assert.deepEqual(Object.values(nodes[1].labels), ['yes'])
    assert.deepEqual(await drained.constraints(), ['node.id!=n2'])
    drained.refuse('a', nodes[0])
    assert.throws(() => drained.refuse('a', nodes[1]), /node worker, which is drained/)
    await drained.set('n2', false)
    assert.deepEqual(await drained.constraints(), [])
    await assert.rejects(() => drained.set('n3', true), /no node "n3"/)
  })

  test('agents with sealed egress have no name server', ({ assert }) => {
    const of = (egress: 'open' | 'sealed') =>
      placed(false, egress).TaskTemplate.ContainerSpec.DNSConfig
    assert.deepEqual(of('sealed'), { Nameservers: ['192.0.2.1'] })
    assert.isUndefined(of('open'))
  })

  test('labels of an agent become constraints of its service', ({ assert }) => {
    assert.deepEqual(labelled({ disk: 'ssd', zone: 'a' }), [
      'node.labels.disk==ssd',
      'node.labels.zone==a',
    ])
    assert.deepEqual(labelled(), [])
  })

  test('a service neither holds the token nor anything an agent does not need', ({ assert }) => {
    const made = placed(false)
    const { ContainerSpec, Resources, RestartPolicy } = made.TaskTemplate as any
    assert.notInclude(JSON.stringify(made), SPEC.token.release())
    assert.containSubset(ContainerSpec, {
      User: '1000:1000',
      ReadOnly: true,
      Init: true,
      CapabilityDrop: ['ALL'],
      Hostname: 'agent',
    })
    assert.isUndefined(ContainerSpec.CapabilityAdd)
    assert.deepEqual(RestartPolicy, { Condition: 'none' })
    assert.containSubset(Resources, {
      Limits: { MemoryBytes: 512 * 1024 * 1024, NanoCPUs: 5e8, Pids: 64 },
      Reservations: { MemoryBytes: 256 * 1024 * 1024 },
    })
    assert.deepEqual(made.Mode, { Replicated: { Replicas: 0 } })
  })

  test('an agent with shared data holds a lease, and no other', ({ assert }) => {
    const leases = (isShared: boolean) =>
      JSON.stringify(placed(isShared).TaskTemplate).includes('MOSAIC_LEASE')
    assert.isTrue(leases(true))
    assert.isFalse(leases(false))
  })

  test('takes the token out of a log by its fingerprint', ({ assert }) => {
    const token = SPEC.token.release()
    const label = placed(false).Labels['mosaic.token']
    for (const line of [token, `Bearer ${token}`, `{"token":"${token}"}`, `x_${token} ${token}`]) {
      assert.notInclude(withoutToken(line, label), token)
    }
    assert.equal(withoutToken('nothing of it', label), 'nothing of it')
    const other = createHash('sha256').update('other').digest('hex')
    assert.equal(withoutToken('others', `5:${other}`), '[token]s')
    assert.equal(withoutToken('mothers', `5:${other}`), 'mothers')
  })

  test('lets agents reach Mosaic first, then the internet or nothing', ({ assert }) => {
    const input = {
      bridge: 'br-1',
      mosaic: { address: '10.0.0.1', port: 3334 },
      sources: ['10.0.0.1', '10.0.0.0/29'],
    }
    const beyond = (egress: 'open' | 'sealed') =>
      guardRules({ ...input, egress })
        .rules.split('\n')
        .filter((rule) => /^-A MOSAIC-\w+-F /.test(rule))
        .map((rule) => rule.replace(/^-A \S+ /, ''))
    const open = beyond('open')
    assert.match(open[1], /^-o br-1 -j DROP$/)
    assert.match(open[2], /^-d 10.0.0.1\/32 -p tcp -m tcp --dport 3334 -j RETURN$/)
    assert.include(open, '-d 10.0.0.0/8 -j DROP')
    assert.equal(beyond('sealed').at(-1), '-j DROP')
    assert.lengthOf(beyond('sealed'), 4)
  })

  test('lets nobody but Mosaic connect to agents', ({ assert }) => {
    const { rules } = guardRules({
      bridge: 'br-1',
      mosaic: { address: '10.0.0.1', port: 3334 },
      egress: 'open',
      sources: ['10.0.0.1', '10.0.0.0/29'],
    })
    const towards = rules.split('\n').filter((rule) => /^-A MOSAIC-\w+-T /.test(rule))
    assert.match(towards.at(-1)!, /-j DROP$/)
    assert.lengthOf(
      towards.filter((rule) => rule.includes(' -s ')),
      2
    )
  })

  test('names an image by the digest of its own repository', ({ assert }) => {
    const digests = ['example.org:5000/other@sha256:1', 'example.org:5000/agent@sha256:2']
    assert.equal(digestOf('example.org:5000/agent:7', digests), digests[1])
    assert.equal(digestOf('example.org:5000/agent', digests), digests[1])
    assert.isNull(digestOf('mosaic-agent:1', digests))
  })

  test('an agent runs where its last start runs', async ({ assert }) => {
    const tasks = [task('shutdown', {}, 1), task('running', {}, 2)]
    const sight = sightOf(service(1), tasks, [NODE])
    assert.equal(endpointOf(sight), 'http://10.0.0.7:32800')
    assert.containSubset(await observe(sight, nothing), {
      id: 't2',
      name: SPEC.name,
      agent: SPEC.agent,
      generation: 4,
      specHash: SPEC.hash,
      status: 'running',
      failure: null,
    })
  })

  test('tells why a task ended', async ({ assert }) => {
    const seen = async (one: Task, replicas = 1, node = NODE) =>
      (await observe(sightOf(service(replicas), [one], [node]), nothing)).failure?.reason ?? null
    assert.equal(await seen(task('failed', ended(1))), 'exited_early')
    assert.equal(await seen(task('failed', ended(99))), 'out_of_memory')
    assert.equal(await seen(task('failed', ended(65))), 'no_provider')
    assert.equal(await seen(task('rejected', { Err: 'No such image: a' })), 'image_missing')
    assert.equal(await seen(task('running'), 1, { ...NODE, isLost: true }), 'engine_unreachable')
    assert.isNull(await seen(task('failed', ended(137)), 0))
    assert.isNull(await seen(task('preparing')))
  })

  test('labels a service by what it is for', ({ assert }) => {
    assert.containSubset(placed(false).Labels, {
      [LABEL.installation]: 'here',
      [LABEL.agent]: 'user/1',
      [LABEL.name]: SPEC.name,
      [LABEL.spec]: SPEC.hash,
    })
  })
})
