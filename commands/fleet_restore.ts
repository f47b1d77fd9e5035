import { resolve } from 'node:path'
import { args } from '@adonisjs/core/ace'
import { copyLines } from '#console/copy_lines'
import { OperatorCommand } from '#console/operator_command'

export default class FleetRestore extends OperatorCommand {
  static override commandName = 'fleet:restore'
  static override description = "Replace agents' data by the copies of fleet:backup"
  static override help = [
    'Restore the database of the same backup first, and stop Mosaic: agents with a copy are ended. Each gets its data',
    'in the runtime that the database names for it, on any machine. The data that an agent has now is kept until',
    'it has started well with its copy. Agents without a copy are left alone. Safe to run again.',
  ]

  @args.string({ description: 'The folder that fleet:backup wrote' })
  declare folder: string

  override async run() {
    const copies = await this.app.container.make('agents.data_copies')
    const report = await copies.restore(resolve(this.folder))
    if (report.failed.length > 0) this.exitCode = 1
    const { done, without, failed } = report
    const sentence = `${done} restored, ${without} without a copy, ${failed.length} failed.`
    this.report({ ...report }, copyLines(sentence, failed))
  }
}
