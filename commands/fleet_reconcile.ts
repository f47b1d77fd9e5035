import { flags } from '@adonisjs/core/ace'
import { OperatorCommand } from '#console/operator_command'

export default class FleetReconcile extends OperatorCommand {
  static override commandName = 'fleet:reconcile'
  static override description = 'Close the gap between what should run and what does'

  @flags.boolean({ description: 'Say what would be done, and do nothing' })
  declare dryRun: boolean

  override async run() {
    const reconciler = await this.app.container.make('agents.reconciler')
    const statistics = await reconciler.reconcile({ dryRun: this.dryRun })
    const { instances, actions, failed, unreachable } = statistics
    if (failed > 0 || unreachable.length > 0) this.exitCode = 1

    const lines = [
      ...actions.map(({ action, name }) => `${action} ${name}`),
      ...unreachable.map((runtime) => `The runtime "${runtime}" does not answer.`),
      `${instances} instances, ${actions.length} ${this.dryRun ? 'to do' : 'done'}, ${failed} failed.`,
    ]
    this.report({ ...statistics }, lines.join('\n'))
  }
}
