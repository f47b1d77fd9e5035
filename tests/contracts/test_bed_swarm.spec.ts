import { createServer } from 'node:http'
import { once } from 'node:events'
import { readdirSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { test } from '@japa/runner'
import { until } from '#tests/contracts/until'
import { testSwarm } from '#tests/engine/swarm'
import type { SwarmNode } from '#tests/engine/swarm'

const swarm = testSwarm()

/** Published at each node that runs a task. */
const PORT = 18080

/** The engine reports a lost node after about 15 seconds. */
const NOTICED_MS = 40_000
const ANSWER_MS = 2000

/** Writes a file named after its node, calls back, and answers with its node. */
const PROGRAM = `
  const { NODE, CALLBACK } = process.env
  require('fs').writeFileSync('/shared/' + NODE, NODE)
  fetch(CALLBACK + NODE)
  require('http').createServer((_, response) => response.end(NODE)).listen(8080)
`

if (swarm) {
  const { docker } = swarm.manager

  /** Who answers at a node; null if nobody does. */
  const answer = async ({ address }: SwarmNode) => {
    const signal = AbortSignal.timeout(ANSWER_MS)
    return fetch(`http://${address}:${PORT}`, { signal })
      .then((response) => response.text())
      .catch(() => null)
  }
  const answers = (node: SwarmNode) => until(async () => (await answer(node)) === node.name)
  const nodeState = async ({ name }: SwarmNode) => {
    const nodes = (await docker.listNodes()) as {
      Description: { Hostname: string }
      Status: { State: string }
    }[]
    return nodes.find(({ Description }) => Description.Hostname === name)?.Status.State
  }

  test.group('The swarm of the tests', (group) => {
    group.each.setup(() => () => swarm.reconnect())

    test('runs a service on both nodes; one of them is lost and found', async ({
      assert,
      cleanup,
    }) => {
      const callers = new Set<string>()
      const server = createServer(({ url }, response) => {
        callers.add(url!.slice(1))
        response.end()
      }).listen(0, swarm.manager.address)
      await once(server, 'listening')
      cleanup(() => void server.close())

      const { port } = server.address() as AddressInfo
      const service = await docker.createService({
        Name: 'test-bed',
        Mode: { Global: {} },
        TaskTemplate: {
          ContainerSpec: {
            Image: await swarm.gatewayImage(),
            Command: ['node', '-e', PROGRAM],
            Env: ['NODE={{.Node.Hostname}}', `CALLBACK=http://${swarm.manager.address}:${port}/`],
            Mounts: [{ Type: 'bind', Source: swarm.shared, Target: '/shared' }],
          },
        },
        EndpointSpec: {
          Mode: 'dnsrr',
          Ports: [
            { Protocol: 'tcp', TargetPort: 8080, PublishedPort: PORT, PublishMode: 'host' },
          ] as never,
        },
      })
      cleanup(() => docker.getService(service.id).remove())
      for (const node of swarm.nodes) await answers(node)
      assert.sameMembers([...callers], ['manager', 'worker'])
      assert.includeMembers(readdirSync(swarm.shared), ['manager', 'worker'])

      await swarm.cutOff()
      assert.isNull(await answer(swarm.worker))
      await until(async () => (await nodeState(swarm.worker)) === 'down', NOTICED_MS)
      /** Other specs leave their guards there. */
      const filters = { label: ['com.docker.swarm.service.name=test-bed'] }
      const there = await swarm.worker.docker.listContainers({ filters })
      assert.lengthOf(there, 1, 'it runs on meanwhile')
      assert.equal(await answer(swarm.manager), 'manager')

      await swarm.reconnect()
      await until(async () => (await nodeState(swarm.worker)) === 'ready', NOTICED_MS)
      await answers(swarm.worker)
    }).timeout(120_000)
  })
}
