import { OperatorCommand } from '#console/operator_command'

export default class Doctor extends OperatorCommand {
  static override commandName = 'doctor'
  static override description = 'List faults of this installation, and how to fix them'

  /** Skips the checks of other commands, because this command reports what would fail them. */
  override async prepare() {}

  override async run() {
    const { examine } = await import('#console/examination')
    const findings = await examine(this.app)
    const healthy = findings.every(({ severity }) => severity !== 'error')
    if (!healthy) this.exitCode = 1

    const lines = findings.map(
      ({ severity, area, message, hint }) => `${severity} (${area}): ${message}\n  ${hint}`
    )
    this.report({ healthy, findings }, lines.join('\n') || 'Nothing is wrong.')
  }
}
