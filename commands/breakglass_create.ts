import { flags } from '@adonisjs/core/ace'
import { askCredentials } from '#console/ask_credentials'
import { OperatorCommand } from '#console/operator_command'
import { breakglassValidator } from '#validators/identity'

export default class BreakglassCreate extends OperatorCommand {
  static override commandName = 'breakglass:create'
  static override description = 'Make a local admin account that works without an identity provider'

  @flags.string({ description: 'Its name; the password then comes on standard input' })
  declare username?: string

  override async run() {
    const answers = await askCredentials(this, this.username)
    const credentials = await breakglassValidator.validate(answers)
    const onboarding = await this.app.container.make('onboarding')
    const user = await onboarding.claimFromCommandLine(credentials)
    this.report(
      { username: credentials.username, userId: user.id },
      `Made the admin account "${credentials.username}".`
    )
  }
}
