import { collectDefaultMetrics, Registry } from 'prom-client'

/** Standard Node metrics: processor, memory, handles, event loop lag, garbage collection. */
export function processMetrics(): Registry {
  const registry = new Registry()
  collectDefaultMetrics({ register: registry })
  return registry
}
