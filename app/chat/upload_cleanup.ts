import type { AgentsContext } from '#agents/context'
import { Scheduler } from '#agents/background/scheduler'
import type { Uploads } from '#chat/uploads'

/** An upload outlives its hour by at most this. */
const EVERY_MS = 60 * 60_000

/** Deletes expired uploads at startup and hourly: those of a Mosaic that was killed, too. */
export function uploadCleanup(
  context: Pick<AgentsContext, 'clock' | 'logger'>,
  uploads: Pick<Uploads, 'forgetExpired'>
): Scheduler {
  const run = async () => ({ deleted: await uploads.forgetExpired() })
  return new Scheduler(context, [
    { name: 'clean up uploads', everyMs: EVERY_MS, atStart: true, run },
  ])
}
