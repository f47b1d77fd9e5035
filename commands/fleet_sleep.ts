import { OperatorCommand } from '#console/operator_command'

const RETRY_MS = 1000
/** A replica of Mosaic that was killed is known to be gone after the time of a lease; heartbeats may come late. */
const LEASES = 1.5

export default class FleetSleep extends OperatorCommand {
  static override commandName = 'fleet:sleep'
  static override description = "Put every user's agent to sleep now, as before maintenance"
  static override help = [
    'Each wakes again with its next message. Agents of the system are left running.',
    'Stop Mosaic first: an agent that it talks to is cut off.',
    'Agents in use, starting or stopping are tried again for 15 seconds, as a Mosaic that was killed may still hold them.',
    'Those skipped in the end go on running, and the exit status is 1: run fleet:reconcile, then this again.',
  ]

  override async run() {
    const { clock, timeouts } = await this.app.container.make('agents.context')
    const reaper = await this.app.container.make('agents.reaper')
    const deadline = clock.elapsed() + timeouts.leaseMs * LEASES
    let { candidates, stopped, ...last } = await reaper.reapAll()
    while (last.skipped > 0 && clock.elapsed() < deadline) {
      await clock.wait(RETRY_MS)
      const { candidates: _, stopped: more, ...again } = await reaper.reapAll()
      stopped += more
      last = again
    }
    const { skipped, failed } = last
    if (skipped > 0 || failed > 0) this.exitCode = 1
    this.report(
      { candidates, stopped, ...last },
      `${candidates} found: ${stopped} stopped, ${skipped} skipped, ${failed} failed.`
    )
  }
}
