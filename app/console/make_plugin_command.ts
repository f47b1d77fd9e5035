import { resolve } from 'node:path'
import { args, BaseCommand, flags } from '@adonisjs/core/ace'
import { operatorLines } from '#exceptions/operator_lines'
import { makePlugin, type PluginKind } from '#console/plugin_generator'

/** A command that makes a plugin package of one kind, outside the repository unless told otherwise. */
export abstract class MakePluginCommand extends BaseCommand {
  @args.string({ description: 'What the plugin adds, such as "firecracker"' })
  declare name: string

  @flags.string({ description: 'The folder of the package (default: beside the repository)' })
  declare path: string

  @flags.boolean({ description: 'Print one JSON object' })
  declare json: boolean

  protected abstract readonly kind: PluginKind

  override async run() {
    const root = this.app.makePath()
    const folder = resolve(this.path ?? resolve(root, '..', `mosaic-${this.name}`))
    const made = await makePlugin({ root, kind: this.kind, name: this.name, folder })
    this.logger.log(
      this.json
        ? JSON.stringify(made)
        : [
            `Made the package ${made.package} in ${folder}. Next:`,
            '',
            `  cd ${folder}`,
            '  npm install',
            '  npm test          # the contract passes; "Your work" says where to begin',
            '  npm run build',
            '',
            'docs/plugin_guide.md goes on from there.',
          ].join('\n')
    )
  }

  override completed(): boolean {
    const lines = operatorLines(this.error)
    for (const line of lines) this.logger.logError(line)
    return lines.length > 0
  }
}
