import { resolve } from 'node:path'
import { args, flags } from '@adonisjs/core/ace'
import type { CommandOptions } from '@adonisjs/core/types/ace'
import { OperatorCommand } from '#console/operator_command'
import { makePlugin, type PluginKind } from '#console/plugin_generator'

/** Base of the commands that create a plugin package of one kind, by default outside the repository. */
export abstract class MakePluginCommand extends OperatorCommand {
  static override options: CommandOptions = {}

  @args.string({ description: 'What the plugin adds, such as "firecracker"' })
  declare name: string

  @flags.string({ description: 'The folder of the package (default: beside the repository)' })
  declare path: string

  protected abstract readonly kind: PluginKind

  /** Needs neither a database nor an application key. */
  override async prepare() {}

  override async run() {
    const root = this.app.makePath()
    const folder = resolve(this.path ?? resolve(root, '..', `mosaic-${this.name}`))
    const made = await makePlugin({ root, kind: this.kind, name: this.name, folder })
    const next = [
      `Made the package ${made.package} in ${folder}. Next:`,
      '',
      `  cd ${folder}`,
      '  npm install',
      '  npm test          # the contract passes; "Your work" says where to begin',
      '  npm run build',
      '',
      'docs/plugin_guide.md goes on from there.',
    ]
    this.report({ ...made }, next.join('\n'))
  }
}
