import { RuntimeError } from '#runtimes/errors'
import type { InstanceSpec } from '#runtimes/contract'
import type { AgentRegistry } from '#runtimes/drivers/process/registry'

/** The operator's explicit consent, in a place that neither a page nor the API can change. */
export const ACCEPTED = 'UNISOLATED_AGENTS=accept'

/**
 * Without sandboxes an agent could impersonate another's gateway. So all agents must belong to one
 * person, apart from system agents, which belong to the machine's operator.
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
