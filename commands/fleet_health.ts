import { OperatorCommand } from '#console/operator_command'

export default class FleetHealth extends OperatorCommand {
  static override commandName = 'fleet:health'
  static override description = 'Check every running agent, and note those that ended'

  override async run() {
    const health = await this.app.container.make('agents.health_check')
    const statistics = await health.healthCheckAll()
    const { checked, healthy, crashed, silent, skipped } = statistics
    this.report(
      { ...statistics },
      `${checked} checked: ${healthy} healthy, ${crashed} crashed, ${silent} silent, ${skipped} skipped.`
    )
  }
}
