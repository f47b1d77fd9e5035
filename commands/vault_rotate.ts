import { flags } from '@adonisjs/core/ace'
import { OperatorCommand } from '#console/operator_command'

export default class VaultRotate extends OperatorCommand {
  static override commandName = 'vault:rotate'
  static override description = 'Seal every secret again with the vault and key in use'
  static override help = [
    'Put the new key in front of the old one, separated by a comma, restart every replica of Mosaic, then run this',
    'with the same variables. To change the vault, set VAULT_DRIVER instead.',
    'It works while Mosaic runs, and can be ended and begun again. Once it exits with 0, the old key or vault can go.',
  ]

  @flags.boolean({ description: 'Seal the secrets again although the audit record is broken' })
  declare despiteBrokenAudit: boolean

  override async run() {
    const { countFormer, rotateVault } = await import('#installation/vault_rotation')
    const { E_AUDIT_BROKEN } = await import('#installation/errors')
    const chain = await this.app.container.make('audit.chain')
    if (!this.despiteBrokenAudit && (await chain.verify()).broken) throw new E_AUDIT_BROKEN()

    const vault = await this.app.container.make('vault.manager')
    const done = await rotateVault(vault)
    const former = await countFormer(vault)
    const { name } = await vault.use()
    const { broken, head } = await chain.anchor()
    if (former > 0 || broken) this.exitCode = 1
    const lines = [
      `Examined ${done.examined} secrets, sealed ${done.resealed} again in the vault "${name}", ${done.failed} did not open.`,
      ...(former > 0
        ? [
            `${former} still need a former key or vault: keep it. Restart every replica, then run this again.`,
          ]
        : []),
      broken
        ? 'The audit record is broken: keep the old key, and run "node ace audit:verify".'
        : `The audit record holds by the new key. Its last event: ${head?.hash ?? 'none'}`,
    ]
    this.report({ vault: name, ...done, former, audit: { head, broken } }, lines.join('\n'))
  }
}
