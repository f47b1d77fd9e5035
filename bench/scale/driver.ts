import { doubleDriver } from '../double_driver.js'
import { agentAt, endpointAt, nameAt, RUNTIME, type ScaleOrders } from './orders.js'

/**
 * A runtime in memory whose gateways are in another process, so that this one's memory is Mosaic's own. The
 * agents that are awake run already.
 */
export function scaleDriver({ awake, gatewayPort }: ScaleOrders) {
  return doubleDriver({
    name: RUNTIME,
    endpointOf: (agent) => endpointAt(Number(agent.slice(agent.lastIndexOf('-') + 1)), gatewayPort),
    running: Array.from({ length: awake }, (_, index) => ({
      name: nameAt(index),
      agent: agentAt(index),
      hash: 'spec',
      generation: 1,
    })),
  })
}
