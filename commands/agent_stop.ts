import { OneAgentCommand } from '#console/one_agent_command'
import type { AgentLifecycle } from '#agents/lifecycle'
import type { AgentKey } from '#agents/types'

export default class AgentStop extends OneAgentCommand {
  static override commandName = 'agent:stop'
  static override description = 'Stop an agent, once its work has ended'

  protected override starts = false

  protected override act(lifecycle: AgentLifecycle, agent: AgentKey) {
    return lifecycle.stop(agent)
  }
}
