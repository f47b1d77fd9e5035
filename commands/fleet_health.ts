import { OperatorCommand } from '#console/operator_command'

export default class FleetHealth extends OperatorCommand {
  static override commandName = 'fleet:health'
  static override description = 'Ask every agent that runs how it is, and note those that ended'
  static override help = [
    'The exit status is 1 if an agent had ended by itself or does not answer. Each end is told once.',
  ]

  override async run() {
    const health = await this.app.container.make('agents.health_check')
    const statistics = await health.healthCheckAll()
    const { checked, healthy, crashed, silent, skipped } = statistics
    if (crashed > 0 || silent > 0) this.exitCode = 1
    this.report(
      { ...statistics },
      `${checked} checked: ${healthy} healthy, ${crashed} crashed, ${silent} silent, ${skipped} skipped.`
    )
  }
}
