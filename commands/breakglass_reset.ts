import { flags } from '@adonisjs/core/ace'
import { askCredentials } from '#console/ask_credentials'
import { OperatorCommand } from '#console/operator_command'
import { breakglassValidator } from '#validators/identity'

export default class BreakglassReset extends OperatorCommand {
  static override commandName = 'breakglass:reset'
  static override description =
    'Set a new password for a local admin account, make it active again, end its sessions and delete its access tokens'

  @flags.string({ description: 'Its name; the password then comes on standard input' })
  declare username?: string

  override async run() {
    const answers = await askCredentials(this, this.username)
    const credentials = await breakglassValidator.validate(answers)
    const accounts = await this.app.container.make('identity.breakglass')
    const user = await accounts.reset(credentials)
    this.report(
      { username: credentials.username, userId: user.id },
      `"${credentials.username}" has the new password, its sessions are ended and its access tokens deleted.`
    )
  }
}
