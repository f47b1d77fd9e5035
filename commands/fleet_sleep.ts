import { OperatorCommand } from '#console/operator_command'

export default class FleetSleep extends OperatorCommand {
  static override commandName = 'fleet:sleep'
  static override description = "Put every user's agent to sleep now, as before maintenance"
  static override help = [
    'Each wakes again with its next message. Agents of the system are left running.',
    'Stop Mosaic first: an agent that it talks to is cut off.',
    'Agents in use, starting or stopping are skipped: run fleet:reconcile, then this again.',
  ]

  override async run() {
    const reaper = await this.app.container.make('agents.reaper')
    const statistics = await reaper.reapAll()
    const { candidates, stopped, skipped, failed } = statistics
    if (failed > 0) this.exitCode = 1
    this.report(
      { ...statistics },
      `${candidates} found: ${stopped} stopped, ${skipped} skipped, ${failed} failed.`
    )
  }
}
