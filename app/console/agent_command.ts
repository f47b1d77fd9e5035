import { OperatorCommand } from '#console/operator_command'

/**
 * A command that acts on agents. It works beside a running Mosaic, through the rows and the runtime; an
 * agent that it starts fetches its document from the internal listener, so Mosaic must run for that.
 */
export abstract class AgentCommand extends OperatorCommand {
  /** Before any secret is read or sealed: with the wrong key nothing is touched. */
  override async prepare() {
    const { checkBoot } = await import('#settings/boot_check')
    await checkBoot(await this.app.container.make('settings'))
  }
}
