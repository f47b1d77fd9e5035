import { args, flags } from '@adonisjs/core/ace'
import { OperatorCommand } from '#console/operator_command'

/** Names that a sentence lists; JSON has them all. */
const LISTED = 20

export default class FleetDrainNode extends OperatorCommand {
  static override commandName = 'fleet:drain-node'
  static override description =
    'Empty a node of the runtime, as before its maintenance, or reopen it'
  static override help = [
    'No agent starts there any more. Agents that run there finish their work first: those that always',
    'run start on another node, the others go to sleep. An agent with data on this node alone waits',
    'until "fleet:drain-node <node> --reopen". Other services of the node are left alone.',
  ]

  @args.string({ description: 'Its host name or its id, as the overview shows them' })
  declare node: string

  @flags.boolean({ description: 'Have it take agents again' })
  declare reopen: boolean

  @flags.boolean({ description: 'Say what would happen, and change nothing' })
  declare dryRun: boolean

  override async run() {
    const drains = await this.app.container.make('agents.node_drain')
    if (this.reopen) {
      const node = await drains.reopen(this.node)
      return this.report({ node, reopened: true }, `The node ${node.name} takes agents again.`)
    }
    const dryRun = Boolean(this.dryRun)
    const drained = await drains.drain(this.node, { dryRun })
    const { node, stopped, moved, waiting, failed } = drained
    if (failed.length > 0) this.exitCode = 1
    const lines = [
      dryRun ? `The node ${node.name} would be drained.` : `The node ${node.name} is drained.`,
      `${stopped.length} asleep, ${moved.length} moved, ${waiting.length} wait for it, ${failed.length} failed.`,
      ...(waiting.length > 0
        ? [`These wait, as their data is on this node alone: ${listed(waiting)}.`]
        : []),
      ...failed.map(({ name, reason }) => `${name}: ${reason}`),
    ]
    this.report({ ...drained, dryRun }, lines.join('\n'))
  }
}

function listed(names: string[]): string {
  const more = names.length - LISTED
  return names.slice(0, LISTED).join(', ') + (more > 0 ? ` and ${more} more` : '')
}
