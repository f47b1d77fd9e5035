import { OperatorCommand } from '#console/operator_command'

export default class ReapIdle extends OperatorCommand {
  static override commandName = 'reap:idle'
  static override description =
    'Put agents to sleep that nobody has used for longer than their limit'

  override async run() {
    const reaper = await this.app.container.make('agents.reaper')
    const statistics = await reaper.reapIdle()
    const { candidates, stopped, suspended, working, skipped, failed } = statistics
    if (failed > 0) this.exitCode = 1
    this.report(
      { ...statistics },
      `${candidates} idle: ${stopped} stopped, ${suspended} suspended, ${working} at work, ${skipped} skipped, ${failed} failed.`
    )
  }
}
