import { test } from '@japa/runner'
import { Isolation } from '#runtimes/drivers/swarm/isolation'
import type { GuardedNetwork } from '#runtimes/drivers/swarm/agent_network'
import type { ClusterNode } from '#runtimes/drivers/swarm/cluster'
import { TestClock } from '#tests/doubles/test_clock'

/** A swarm whose probes end at once. */
class Swarm {
  readonly clock = new TestClock()
  readonly constraints: string[][] = []
  readonly isolation = new Isolation('here', {
    clock: this.clock,
    forbidden: [],
    cluster: { nodes: async () => [] } as never,
    services: {
      create: async (spec: { TaskTemplate: { Placement: { Constraints: string[] } } }) => {
        this.constraints.push(spec.TaskTemplate.Placement.Constraints)
        return {}
      },
      tasks: async () =>
        ['n1', 'n2'].map((NodeID) => ({
          NodeID,
          CreatedAt: '2026-01-01T00:00:00Z',
          DesiredState: 'running',
          Status: { State: 'failed', Timestamp: '2026-01-01T00:00:00Z' },
          Spec: { ContainerSpec: { Image: '' } },
        })),
      remove: async () => {},
    } as never,
  })

  /** Returns the codes found, and how many services of probes that took. */
  async prove(nodes: string[], rules = 'rules'): Promise<{ codes: string[]; probes: number }> {
    const before = this.constraints.length
    const guarded = nodes.map((id) => ({ id, name: id, labels: {} }) as never as ClusterNode)
    const network: GuardedNetwork = {
      id: 'net',
      name: 'net',
      egress: 'open',
      rules,
      guarded,
      unguarded: new Map(),
    }
    const mosaic = { address: '127.0.0.1', port: 9 }
    const { findings } = await this.isolation.prove(network, mosaic, 'image')
    return { codes: findings.map(({ code }) => code), probes: this.constraints.length - before }
  }
}

test.group('Runtime | swarm, nodes without a proof', () => {
  const FAILED = ['agents_unreachable']

  test('are tried again ever more seldom, and stay told meanwhile', async ({ assert }) => {
    const swarm = new Swarm()
    assert.deepEqual(await swarm.prove(['n1']), { codes: FAILED, probes: 2 })
    assert.deepEqual(await swarm.prove(['n1']), { codes: FAILED, probes: 0 })
    swarm.clock.advance(31_000)
    assert.deepEqual(await swarm.prove(['n1']), { codes: FAILED, probes: 2 })
    swarm.clock.advance(31_000)
    assert.deepEqual(await swarm.prove(['n1']), { codes: FAILED, probes: 0 })
    // Other rules may be better.
    assert.deepEqual(await swarm.prove(['n1'], 'others'), { codes: FAILED, probes: 2 })
  })

  test('alone get probes', async ({ assert }) => {
    const swarm = new Swarm()
    await swarm.prove(['n1'])
    await swarm.prove(['n1', 'n2'])
    const [first, , second] = swarm.constraints
    assert.lengthOf(first, 1)
    assert.match(first[0], /^node\.labels\.mosaic\.[0-9a-f]{8}\.proof!=[0-9a-f]{8}$/)
    assert.deepEqual(second, [first[0], 'node.id!=n1'])
  })
})
