import { RuntimeError } from '#runtimes/errors'
import type { InstanceSpec } from '#runtimes/contract'
import type { AgentRegistry } from '#runtimes/drivers/process/registry'

/** How an operator accepts it, in so many words, where neither a page nor the API can. */
export const ACCEPTED = 'UNISOLATED_AGENTS=accept'

/**
 * Where agents have no sandboxes, one could pretend to be another's gateway: so there are agents of one person
 * only, and those of the system, which belong to whoever runs the machine.
 *
 * @throws RuntimeError `not_isolated` for an agent of a second person
 */
export async function demandOnePerson(
  agents: AgentRegistry,
  { agent }: Pick<InstanceSpec, 'agent'>
): Promise<void> {
  if (!isOfPerson(agent)) return
  for await (const other of agents.all()) {
    if (other.agent === agent || !isOfPerson(other.agent)) continue
    throw new RuntimeError(
      'not_isolated',
      'Agents are not kept apart on this machine, and there is one of another person already.',
      {
        help:
          'Run Mosaic as root on Linux with the programs unshare, nsenter, setpriv, prlimit and ip, or use the docker ' +
          `runtime. To accept that agents may read and speak for each other, start Mosaic with ${ACCEPTED}.`,
      }
    )
  }
}

function isOfPerson(agent: string): boolean {
  return agent.startsWith('user/')
}
