import { args, flags } from '@adonisjs/core/ace'
import { OperatorCommand } from '#console/operator_command'
import { readSecret } from '#console/secret_input'
import { E_SECRET_IN_ARGUMENTS } from '#settings/errors'
import { holdsText } from '#settings/setting_kinds'

export default class SettingsSet extends OperatorCommand {
  static override commandName = 'settings:set'
  static override description = 'Change a setting, those of the operator alone included'
  static override help = [
    'The value is JSON, or a text that is none: settings:set agents.idleTimeoutMin 20',
    'null goes back to the default. "-" reads the value from standard input, where a text is taken as it is.',
    'Secrets are taken from standard input alone: settings:set oidc.clientSecret - < file',
    'docker.host, runtime.image and swarm.* are changed here alone: agents’ data goes where they say.',
  ]

  @args.string({ description: 'Its name, as the administration pages show it' })
  declare key: string

  @args.string({ description: 'JSON, a plain text, or "-" for standard input' })
  declare value: string

  @flags.boolean({ description: 'Leave a value alone that was set before' })
  declare ifUnset: boolean

  @flags.boolean({ description: 'Check the value, and change nothing' })
  declare dryRun: boolean

  override async run() {
    const values = { [this.key]: await this.#value() }
    const wanted = !this.ifUnset || !(await this.#isSet())
    const changed = wanted && !this.dryRun
    const changes = await this.app.container.make('settings.changes')
    if (changed) await changes.apply(values, null)
    else if (wanted) await changes.check(values, null)

    const sentence = !wanted
      ? `${this.key} was set before; left as it is.`
      : changed
        ? `Changed ${this.key}.`
        : `${this.key} can be changed to this. Nothing was changed.`
    this.report({ key: this.key, changed }, sentence)
  }

  async #value(): Promise<unknown> {
    const settings = await this.app.container.make('settings')
    const definition = await settings.definition(this.key)
    const isText = holdsText(definition)
    if (this.value === '-') {
      const text = await readSecret(this.input)
      return isText ? text : parsed(text)
    }
    const value = parsed(this.value)
    if (definition.secret && value !== null) throw new E_SECRET_IN_ARGUMENTS(this.key)
    return isText && typeof value !== 'string' && value !== null ? this.value : value
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
