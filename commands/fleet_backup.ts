import { resolve } from 'node:path'
import { args } from '@adonisjs/core/ace'
import { copyLines } from '#console/copy_lines'
import { OperatorCommand } from '#console/operator_command'

export default class FleetBackup extends OperatorCommand {
  static override commandName = 'fleet:backup'
  static override description = "Copy every agent's data into a folder, one file for each"
  static override help = [
    'Works for every runtime, beside a running Mosaic or without it. Each agent sleeps while its data is copied;',
    'one that always runs starts again by itself. An agent at work is waited for a minute.',
    'A former file of an agent stays until its new one is complete. Back up the database as well: docs/backup.md.',
  ]

  @args.string({
    description: 'The folder; it is made if missing. Only you can read what is written',
  })
  declare folder: string

  override async run() {
    const copies = await this.app.container.make('agents.data_copies')
    const report = await copies.backUp(resolve(this.folder))
    if (report.failed.length > 0) this.exitCode = 1
    const { done, without, failed } = report
    const sentence = `${done} copied, ${without} without data, ${failed.length} failed.`
    this.report({ ...report }, copyLines(sentence, failed))
  }
}
