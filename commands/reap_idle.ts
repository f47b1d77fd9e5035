import { AgentCommand } from '#console/agent_command'

export default class ReapIdle extends AgentCommand {
  static override commandName = 'reap:idle'
  static override description = 'Stop the agents that nobody has used for longer than their limit'

  override async run() {
    const reaper = await this.app.container.make('agents.reaper')
    const statistics = await reaper.reapIdle()
    const { candidates, stopped, skipped, failed } = statistics
    if (failed > 0) this.exitCode = 1
    this.report(
      { ...statistics },
      `${candidates} idle: ${stopped} stopped, ${skipped} skipped, ${failed} failed.`
    )
  }
}
