import { OneAgentCommand } from '#console/one_agent_command'
import type { AgentLifecycle } from '#agents/lifecycle'
import type { AgentKey } from '#agents/types'

export default class AgentRestart extends OneAgentCommand {
  static override commandName = 'agent:restart'
  static override description = 'Stop an agent, and start it with its present settings'
  static override help = 'Mosaic must be running: the agent gets its configuration from it.'

  protected override act(lifecycle: AgentLifecycle, agent: AgentKey) {
    return lifecycle.restartAndWait(agent)
  }
}
