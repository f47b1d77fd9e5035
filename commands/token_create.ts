import { args, flags } from '@adonisjs/core/ace'
import { OperatorCommand } from '#console/operator_command'

export default class TokenCreate extends OperatorCommand {
  static override commandName = 'token:create'
  static override description = 'Make an access token for a user and print it, this once'

  @args.string({ description: 'Email address, breakglass username or id' })
  declare user: string

  @flags.string({ description: 'What the token is for', default: 'command line' })
  declare name: string

  override async run() {
    const { findActiveUserByName } = await import('#identity/user_lookup')
    const user = await findActiveUserByName(this.user)
    const tokens = await this.app.container.make('identity.tokens')
    const token = await tokens.create(user, { name: this.name })

    const audit = await this.app.container.make('audit')
    await audit.record({
      action: 'token.created',
      subject: { type: 'token', id: String(token.identifier) },
      details: { name: this.name, userId: user.id, by: 'command' },
    })
    const value = token.value!.release()
    this.report({ token: value }, value)
  }
}
