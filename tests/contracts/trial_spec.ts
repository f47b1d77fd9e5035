import { createHash, randomUUID } from 'node:crypto'
import { Secret } from '@adonisjs/core/helpers'
import type { InstanceSpec } from '#runtimes/contract'

/** Creates a spec of a new agent with a user's name of its own. */
export function trialSpec(
  given: Pick<InstanceSpec, 'installation' | 'apiUrl'> & Partial<InstanceSpec>
): InstanceSpec {
  const id = randomUUID().slice(0, 8)
  return {
    name: `mosaic-user-${id}`,
    agent: `user/${id}`,
    generation: 1,
    hash: createHash('sha256').update(id).digest('hex'),
    token: new Secret(`token-${randomUUID()}`),
    image: null,
    limits: { memoryMb: 512, cpus: 1, processes: 64 },
    ...given,
  }
}
