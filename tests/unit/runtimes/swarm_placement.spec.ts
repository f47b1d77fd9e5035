import { setImmediate as turn } from 'node:timers/promises'
import { test } from '@japa/runner'
import type { AgentNetwork } from '#runtimes/drivers/swarm/agent_network'
import type { Cluster, ClusterNode } from '#runtimes/drivers/swarm/cluster'
import { DrainedNodes } from '#runtimes/drivers/swarm/drained_nodes'
import { Ground } from '#runtimes/drivers/swarm/ground'
import type { HandedFiles } from '#runtimes/drivers/swarm/handed_files'
import type { Home } from '#runtimes/drivers/swarm/homes'
import type { Isolation } from '#runtimes/drivers/swarm/isolation'
import { Leftovers } from '#runtimes/drivers/swarm/leftovers'
import type { SwarmSettings } from '#runtimes/drivers/swarm/options'
import { AgentPlacement } from '#runtimes/drivers/swarm/placement'
import type { Services } from '#runtimes/drivers/swarm/services'
import { LABEL } from '#runtimes/engine/labels'

const NODE: ClusterNode = {
  id: 'n1',
  name: 'worker',
  address: '10.0.0.7',
  isManager: false,
  isReady: true,
  isLost: false,
  labels: { guarded: 'yes' },
  memory: 0,
  processors: 0,
}
const IMAGE = 'sha256:1'
const SETTINGS: SwarmSettings = {
  host: null,
  sharedPath: null,
  volumeDriver: null,
  volumeOptions: [],
  sources: [],
  egress: 'open',
  image: null,
  constraints: 'node.role==worker',
  reserve: 50,
}

const at = (node: string | null): Home => ({ node, data: 'whole', hasAside: false })

/** A swarm of two nodes, whose guards run or do not. */
class Nodes {
  all: ClusterNode[] = [NODE, { ...NODE, id: 'n2', name: 'other' }]
  guarded = new Set(['n1', 'n2'])
  looks = 0
  isAway = false
  readonly ground: Ground
  readonly placement: AgentPlacement

  constructor() {
    const cluster = {
      nodes: async () => this.all,
      node: async (id: string) => this.all.find((node) => node.id === id) ?? null,
      managerAddress: async () => '10.0.0.1',
    } as unknown as Cluster
    const network = {
      prepare: async () => {
        this.looks++
        if (this.isAway) throw new Error('The manager is away')
        const guarded = this.all.filter(({ id }) => this.guarded.has(id))
        const without = this.all.filter(({ id }) => !this.guarded.has(id))
        const unguarded = new Map(without.map(({ name }) => [name, 'it ended']))
        return { id: 'network', name: 'agents', rules: 'r', guarded, unguarded }
      },
    } as unknown as AgentNetwork
    const isolation = {
      constraint: 'node.labels.guarded==yes',
      isProven: ({ labels }: ClusterNode) => labels.guarded === 'yes',
      prove: async ({ guarded }: { guarded: ClusterNode[] }) => ({ findings: [], proven: guarded }),
    } as unknown as Isolation
    const leftovers = { remove: async () => {} } as unknown as Leftovers
    const config = { internalPort: 3334 }
    this.ground = new Ground({ cluster, network, isolation, leftovers }, SETTINGS, config)
    const drained = new DrainedNodes('here', cluster)
    const parts = { cluster, drained, ground: this.ground, settings: SETTINGS }
    this.placement = new AgentPlacement(parts)
  }

  constraints(home: string | null) {
    return this.placement.constraints({ name: 'a' }, at(home), IMAGE)
  }
}

test.group('Runtime | swarm, where agents start', () => {
  test('an agent starts on any isolated node, or on the one with its data', async ({ assert }) => {
    const nodes = new Nodes()
    const common = ['node.labels.guarded==yes', 'node.role==worker']
    assert.deepEqual(await nodes.constraints(null), common)
    assert.deepEqual(await nodes.constraints('n2'), [...common, 'node.id==n2'])
  })

  test('no agent starts on a node that lost its guard, though it keeps its labels', async ({
    assert,
  }) => {
    const nodes = new Nodes()
    await nodes.constraints(null)
    nodes.guarded.delete('n2')
    await nodes.ground.examine(IMAGE)
    assert.include(await nodes.constraints(null), 'node.id!=n2')
    const failure = await nodes.constraints('n2').catch((error) => error)
    assert.equal(failure.reason, 'no_capacity')
    assert.match(failure.message, /node other, where agents are not isolated/)
    nodes.guarded.clear()
    await nodes.ground.examine(IMAGE)
    await assert.rejects(() => nodes.constraints(null), /node other has no guard|No node/)
  })

  test('tells that the node with the data is lost, or has left', async ({ assert }) => {
    const nodes = new Nodes()
    nodes.all[0] = { ...NODE, isReady: false, isLost: true }
    const reasons = []
    for (const id of ['n1', 'n3']) {
      const failure = await nodes.constraints(id).catch((error) => error)
      reasons.push(failure.reason)
    }
    assert.deepEqual(reasons, ['engine_unreachable', 'engine_unreachable'])
  })

  test('looks again after a look that the manager did not answer', async ({ assert, cleanup }) => {
    const now = performance.now.bind(performance)
    let passedMs = 0
    performance.now = () => now() + passedMs
    cleanup(() => void (performance.now = now))
    const nodes = new Nodes()
    await nodes.constraints(null)
    nodes.isAway = true
    for (const looks of [2, 3]) {
      passedMs += 60_000
      await nodes.constraints(null)
      await turn()
      assert.equal(nodes.looks, looks)
    }
  })
})

test.group('Runtime | swarm, what a killed process left', () => {
  test('goes after a while, but for a transfer that still runs', async ({ assert }) => {
    const long = '2026-01-01T00:00:00Z'
    const now = new Date().toISOString()
    const service = (ID: string, CreatedAt: string) => ({
      ID,
      CreatedAt,
      Spec: { Labels: { [LABEL.name]: ID } },
    })
    const all = {
      probe: [service('old probe', long), service('new probe', now)],
      steward: [
        service('ended steward', long),
        service('busy steward', long),
        service('new steward', now),
      ],
    }
    const removed: string[] = []
    const services = {
      ofPurpose: async (purpose: 'probe' | 'steward') => all[purpose],
      tasks: async (name: string) => [
        { Status: { State: name.startsWith('busy') ? 'running' : 'complete' } },
      ],
      remove: async (id: string) => void removed.push(id),
    } as unknown as Services
    const files = {
      secretsOf: async () => [service('old secret', long), service('new secret', now)],
      deleteSecret: async (id: string) => void removed.push(id),
    } as unknown as HandedFiles
    await new Leftovers(services, files).remove()
    assert.deepEqual(removed, ['old probe', 'ended steward', 'old secret'])
  })
})
