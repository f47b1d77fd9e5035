import { OperatorCommand } from '#console/operator_command'

export default class VaultRotate extends OperatorCommand {
  static override commandName = 'vault:rotate'
  static override description = 'Seal every secret again with the vault and key in use'
  static override help = [
    'Put the new key in front of the old one, separated by a comma, restart Mosaic, then run this.',
    'To change the vault, set VAULT_DRIVER, restart Mosaic, then run this.',
    'It works while Mosaic runs, and can be ended and begun again. Afterwards the old key or vault can go.',
  ]

  override async run() {
    const { rotateVault } = await import('#installation/vault_rotation')
    const vault = await this.app.container.make('vault.manager')
    const done = await rotateVault(vault)
    const { name } = await vault.use()
    const chain = await this.app.container.make('audit.chain')
    const { broken, head } = await chain.anchor()
    if (done.failed > 0 || broken) this.exitCode = 1
    const audit = broken
      ? 'The audit record is broken: keep the old key, and run "node ace audit:verify".'
      : `The audit record holds by the new key. Its last event: ${head?.hash ?? 'none'}`
    this.report(
      { vault: name, ...done, audit: { head, broken } },
      `Examined ${done.examined} secrets, sealed ${done.resealed} again in the vault "${name}", ${done.failed} did not open.\n${audit}`
    )
  }
}
