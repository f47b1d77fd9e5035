import { OneAgentCommand } from '#console/one_agent_command'
import type { AgentLifecycle } from '#agents/lifecycle'
import type { AgentKey } from '#agents/types'

export default class AgentStart extends OneAgentCommand {
  static override commandName = 'agent:start'
  static override description = 'Start an agent, and wait until it is ready'
  static override help = 'Mosaic must be running: the agent gets its configuration from it.'

  protected override act(lifecycle: AgentLifecycle, agent: AgentKey) {
    return lifecycle.startAndWait(agent)
  }
}
