import { collectDefaultMetrics, Registry } from 'prom-client'

/** What every Node service tells of itself: processor, memory, handles, the event loop's lag, collections. */
export function processMetrics(): Registry {
  const registry = new Registry()
  collectDefaultMetrics({ register: registry })
  return registry
}
