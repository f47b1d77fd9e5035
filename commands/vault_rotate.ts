import { OperatorCommand } from '#console/operator_command'

export default class VaultRotate extends OperatorCommand {
  static override commandName = 'vault:rotate'
  static override description = 'Seal every secret anew with the first key of MOSAIC_SECRET_KEY'
  static override help = [
    'Put the new key in front of the old one, separated by a comma, restart Mosaic, then run this.',
    'It works while Mosaic runs, and can be ended and begun again. Afterwards the old key can go.',
  ]

  override async run() {
    const { rotateVault } = await import('#installation/vault_rotation')
    const vault = await this.app.container.make('vault.manager')
    const done = await rotateVault(vault)
    if (done.failed > 0) this.exitCode = 1
    this.report(
      { ...done },
      `Examined ${done.examined} secrets, sealed ${done.resealed} anew, ${done.failed} did not open.`
    )
  }
}
