import { test } from '@japa/runner'
import { Engine } from '#runtimes/engine/engine'
import { isInAgentNetwork } from '#runtimes/agent_networks'
import { NetworkPerAgent } from '#runtimes/drivers/docker/network_per_agent'
import { selfContainer } from '#runtimes/drivers/docker/self_container'
import { DEFAULT_SETTINGS } from '#runtimes/drivers/docker/options'
import type { Found } from '#runtimes/drivers/docker/containers'

const HERE = 'installation'

function refusal(statusCode: number, message: string): Error {
  return Object.assign(new Error(message), { statusCode })
}

interface Network {
  Id: string
  Name: string
  Labels: Record<string, string>
  Containers: Record<string, object>
  Created: string
  IPAM: { Config: { Subnet: string }[] }
}

/** An engine with networks and names of containers alone, and some networks that nobody can join. */
class Networks {
  readonly all = new Map<string, Network>()
  readonly containers: string[] = []
  readonly broken = new Set<string>()

  get engine(): Engine {
    const docker = {
      listContainers: async () => this.containers.map((name) => ({ Names: [`/${name}`] })),
      listNetworks: async () => [...this.all.values()],
      createNetwork: async ({ Name, IPAM }: Pick<Network, 'Name' | 'IPAM'>) => {
        const network = this.add(Name)
        network.IPAM = IPAM
        return { id: network.Id }
      },
      getNetwork: (name: string) => this.#handle(name),
      getContainer: () => ({ inspect: () => Promise.reject(refusal(404, 'no such container')) }),
    }
    return Object.assign(Engine.at('tcp://engine:2375'), { docker })
  }

  add(Name: string, members: string[] = []): Network {
    const Id = `id-${this.all.size}-${Name}`
    const Containers = Object.fromEntries(members.map((id) => [id, {}]))
    const Labels = { 'mosaic.installation': HERE, 'mosaic.name': Name }
    const network = {
      Id,
      Name,
      Labels,
      Containers,
      Created: new Date().toISOString(),
      IPAM: { Config: [] },
    }
    this.all.set(Id, network)
    return network
  }

  membersOf(Name: string): string[] | null {
    const found = [...this.all.values()].find((one) => one.Name === Name)
    return found ? Object.keys(found.Containers) : null
  }

  of(self: string): NetworkPerAgent {
    return new NetworkPerAgent(this.engine, HERE, DEFAULT_SETTINGS, self)
  }

  #handle(name: string) {
    const found = () => {
      const network = [...this.all.values()].find(({ Id, Name }) => Id === name || Name === name)
      if (!network) throw refusal(404, 'no such network')
      return network
    }
    return {
      inspect: async () => found(),
      connect: async ({ Container }: { Container: string }) => {
        if (this.broken.has(found().Name)) throw refusal(500, 'no available address')
        if (found().Containers[Container]) throw refusal(403, 'endpoint already exists')
        found().Containers[Container] = {}
      },
      disconnect: async ({ Container }: { Container: string }) => {
        delete found().Containers[Container]
      },
      remove: async () => {
        if (Object.keys(found().Containers).length > 0) throw refusal(403, 'has active endpoints')
        this.all.delete(found().Id)
      },
    }
  }
}

test.group('Docker driver | networks of agents, by several processes of Mosaic', () => {
  const running = (name: string, { Id, Name }: Network) =>
    ({
      Name: `/${name}`,
      NetworkSettings: { Networks: { [Name]: { NetworkID: Id } } },
    }) as never as Found

  test('are joined before an agent that another one started is reached', async ({ assert }) => {
    const networks = new Networks()
    const other = networks.of('second')
    await other.joinAll()
    await networks.of('first').networkOf('agent')
    const [network] = networks.all.values()
    await other.reach(running('agent', network))
    assert.deepEqual(networks.membersOf('agent-open'), ['first', 'second'])
    // Once in it, the engine is not asked again.
    networks.broken.add('agent-open')
    await other.reach(running('agent', network))
  })

  test('are not joined if an operator connected the agent to them', async ({ assert }) => {
    const networks = new Networks()
    await networks.of('first').reach(running('agent', networks.add('backbone')))
    assert.deepEqual(networks.membersOf('backbone'), [])
  })

  test('go when the last one leaves', async ({ assert }) => {
    const networks = new Networks()
    networks.add('agent-open', ['first', 'second'])
    await networks.of('first').release('agent')
    assert.deepEqual(networks.membersOf('agent-open'), ['second'])
    await networks.of('second').release('agent')
    assert.isNull(networks.membersOf('agent-open'))
  })

  test('are made anew if another one removes them in between', async ({ assert }) => {
    const networks = new Networks()
    networks.add('agent-open')
    const { engine } = networks
    const getNetwork = engine.docker.getNetwork.bind(engine.docker)
    let isFirst = true
    engine.docker.getNetwork = (name) => {
      const handle = getNetwork(name)
      const { connect } = handle
      handle.connect = (async (options: never) => {
        if (isFirst) networks.all.clear()
        isFirst = false
        return connect(options)
      }) as never
      return handle
    }
    const topology = new NetworkPerAgent(engine, HERE, DEFAULT_SETTINGS, 'first')
    await topology.networkOf('agent')
    assert.deepEqual(networks.membersOf('agent-open'), ['first'])
  })

  test('hide no other if one cannot be joined, and are left if their agent is gone', async ({
    assert,
  }) => {
    const networks = new Networks()
    for (const name of ['a', 'b', 'c']) networks.add(`${name}-open`)
    networks.add('mosaic-probe-1-a-open').Created = '2026-01-01T00:00:00Z'
    networks.add('being-started-open')
    networks.containers.push('a', 'b', 'c')
    networks.broken.add('b-open')
    await networks.of('first').joinAll()
    const members = ['a-open', 'b-open', 'c-open'].map((name) => networks.membersOf(name))
    assert.deepEqual(members, [['first'], [], ['first']])
    assert.isNull(networks.membersOf('mosaic-probe-1-a-open'))
    assert.deepEqual(networks.membersOf('being-started-open'), [])
  })

  test('are known, so that the pages are not served there', async ({ assert }) => {
    const networks = new Networks()
    networks.add('a-open').IPAM.Config.push({ Subnet: '10.77.0.0/29' })
    networks.containers.push('a')
    const topology = networks.of('first')
    await topology.joinAll()
    assert.isTrue(isInAgentNetwork('::ffff:10.77.0.2'))
    await topology.networkOf('b')
    const made = [...networks.all.values()].find(({ Name }) => Name === 'b-open')!
    assert.isTrue(isInAgentNetwork(made.IPAM.Config[0].Subnet.split('/')[0]))
    assert.isFalse(isInAgentNetwork('10.77.0.8'))
  })

  test('of a former egress are left at the next start', async ({ assert }) => {
    const networks = new Networks()
    networks.add('agent-sealed', ['first'])
    await networks.of('first').networkOf('agent')
    assert.isNull(networks.membersOf('agent-sealed'))
    assert.deepEqual(networks.membersOf('agent-open'), ['first'])
  })
})

test.group('Docker driver | the container of Mosaic', () => {
  test('must be one of the engine', async ({ assert }) => {
    const error = await selfContainer(new Networks().engine, 'elsewhere').catch((thrown) => thrown)
    assert.equal(error.reason, 'engine_unreachable')
    assert.match(error.message, /does not know/)
  })
})
