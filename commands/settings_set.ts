import { args, flags } from '@adonisjs/core/ace'
import { OperatorCommand } from '#console/operator_command'
import { readSecret } from '#console/secret_input'

export default class SettingsSet extends OperatorCommand {
  static override commandName = 'settings:set'
  static override description = 'Change a setting, as the administration pages do'
  static override help = [
    'The value is JSON, or a text that is none: settings:set agents.idleTimeoutMin 20',
    'null goes back to the default. "-" reads the value from standard input, for secrets.',
  ]

  @args.string({ description: 'Its name, as the administration pages show it' })
  declare key: string

  @args.string({ description: 'JSON, a plain text, or "-" for standard input' })
  declare value: string

  @flags.boolean({ description: 'Leave a value alone that was set before' })
  declare ifUnset: boolean

  override async run() {
    const text = this.value === '-' ? await readSecret(this.input) : this.value
    const changed = !this.ifUnset || !(await this.#isSet())
    if (changed) {
      const changes = await this.app.container.make('settings.changes')
      await changes.apply({ [this.key]: parsed(text) }, null)
    }
    const sentence = changed ? `Changed ${this.key}.` : `${this.key} was set before; left as it is.`
    this.report({ key: this.key, changed }, sentence)
  }

  async #isSet(): Promise<boolean> {
    const settings = await this.app.container.make('settings')
    const listed = await settings.list()
    return listed.some(({ key, source }) => key === this.key && source === 'database')
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}
