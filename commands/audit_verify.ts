import { flags } from '@adonisjs/core/ace'
import { OperatorCommand } from '#console/operator_command'

export default class AuditVerify extends OperatorCommand {
  static override commandName = 'audit:verify'
  static override description =
    'Check that nothing in the audit record was altered, removed or added'
  static override help = [
    'Keep the last hash elsewhere: --expect=<hash> detects a truncated record.',
  ]

  @flags.string({ description: 'The hash of an event that must be in the record' })
  declare expect?: string

  override async run() {
    const chain = await this.app.container.make('audit.chain')
    const found = await chain.verify(this.expect)
    const { verified, unsealed, outside, head, broken } = found
    if (broken) this.exitCode = 1

    const before = unsealed > 0 ? ` ${unsealed} older ones have no seal.` : ''
    const words = {
      altered: `Event ${broken?.sequence} is not as it was recorded.`,
      missing: `Event ${broken?.sequence} is gone.`,
      outside: `${outside} events stand outside of the chain: nobody recorded them.`,
      cut_off: 'The expected event is not in the record: its end was cut off.',
    }
    const told = broken
      ? `${words[broken.problem]} ${verified} before it are as they were.${before}`
      : `All ${verified} events are as they were recorded.${before} The last: ${head?.hash ?? 'none'}`
    this.report({ ...found }, told)
  }
}
