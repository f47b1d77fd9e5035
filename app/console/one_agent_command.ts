import { args } from '@adonisjs/core/ace'
import { OperatorCommand } from '#console/operator_command'
import type { AgentLifecycle } from '#agents/lifecycle'
import type { AgentKey } from '#agents/types'

/** Base of the commands about one agent: that of a user, or a system agent by its own name. */
export abstract class OneAgentCommand extends OperatorCommand {
  @args.string({
    description: 'Email address or breakglass username of its owner, or the name of a system agent',
  })
  declare user: string

  /** Whether the agent runs afterwards: a deactivated user's does not. */
  protected starts = true

  /** Runs the action on the agent. */
  protected abstract act(lifecycle: AgentLifecycle, agent: AgentKey): Promise<unknown>

  override async run() {
    const agent = await this.#agent()
    const lifecycle = await this.app.container.make('agents.lifecycle')
    await this.act(lifecycle, agent)
    const { status, runtime } = await lifecycle.describe(agent)
    this.report({ agent, status, runtime }, `The agent of ${this.user} is ${status}.`)
  }

  async #agent(): Promise<AgentKey> {
    const { default: SystemContainer } = await import('#models/system_container')
    const system = await SystemContainer.findBy('name', this.user)
    if (system) return `system/${system.id}`

    const { findUserByName, findActiveUserByName } = await import('#identity/user_lookup')
    const owner = await (this.starts ? findActiveUserByName : findUserByName)(this.user)
    return `user/${owner.id}`
  }
}
