import { readFile } from 'node:fs/promises'
import { args, flags } from '@adonisjs/core/ace'
import { OperatorCommand } from '#console/operator_command'
import { E_DECLARED_AGENTS_FILE } from '#agents/system_agents/errors'
import { declaredAgentsValidator } from '#validators/system_agents'

export default class SystemAgentsApply extends OperatorCommand {
  static override commandName = 'system-agents:apply'
  static override description = 'Make the system agents what a JSON file declares'
  static override help = [
    'The file holds { "agents": [{ "name", "role", "primaryModel", "limits"?, "placement"?, "isActive"? }] }.',
    'Running it again changes nothing. Mosaic must be running. See examples/system_agents.json.',
  ]

  @args.string({ description: 'The JSON file' })
  declare file: string

  @flags.string({ description: 'The admin whose providers the agents use', required: true })
  declare as: string

  @flags.boolean({ description: 'Delete system agents that the file does not name' })
  declare prune: boolean

  @flags.boolean({ description: 'Say what would change, and change nothing' })
  declare dryRun: boolean

  override async run() {
    const { findAdminByName } = await import('#identity/user_lookup')
    const file = await declaredAgentsValidator.validate(await this.#content())
    const actor = { user: await findAdminByName(this.as), address: null }
    const declared = await this.app.container.make('agents.declared')
    const { prune, dryRun } = this
    const applied = await declared.apply(file.agents, actor, { prune, dryRun })

    if (applied.failed.length > 0) this.exitCode = 1
    const counts = Object.entries(applied).map(([effect, agents]) => `${agents.length} ${effect}`)
    const sentence = `System agents: ${counts.join(', ')}.`
    this.report(
      { ...applied, dryRun: Boolean(dryRun) },
      dryRun ? `${sentence} Nothing was changed.` : sentence
    )
  }

  async #content(): Promise<unknown> {
    try {
      return JSON.parse(await readFile(this.file, 'utf8'))
    } catch (cause) {
      throw new E_DECLARED_AGENTS_FILE(this.file, { cause })
    }
  }
}
