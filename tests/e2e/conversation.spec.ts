import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as after } from 'node:timers/promises'
import { test } from '@japa/runner'
import { processesOf } from '../runner/processes.mjs'
import { firstJourney } from '#tests/e2e/first_journey'

/** Past the minute after which OpenClaw would end its idle worker threads. */
const IDLE_MS = 70_000
/** Maximum processor seconds of a chat after that. Restarting the threads takes over 5. */
const MOST_SEC = 2
/** Clock ticks of /proc per second. */
const TICKS = 100

firstJourney('From a fresh database to a conversation', {
  env: {},
  settings: {},
  /** All processes of this installation except its web process, and those that OpenClaw starts for moments. */
  running: async (mosaic) =>
    processesOf(mosaic.storage).filter((pid) => pid !== mosaic.pid && !isHelper(pid)),
  /** The agents are processes below the installation's folder; the journey searches both anyway. */
  leaks: async () => [],
  close: async () => {},

  tests(journey) {
    test('an agent with nothing to do for over a minute answers without starting its worker threads again', async ({
      assert,
    }) => {
      const { mosaic, api } = journey()
      await api.chat('Good morning')
      await after(IDLE_MS)
      const agents = join(mosaic.storage, 'agents')
      const before = processorSeconds(agents)
      const events = await api.chat('Are you still there?')
      assert.equal(events.at(-1)?.event, 'done')
      assert.isBelow(processorSeconds(agents) - before, MOST_SEC)
    })
  },
})

/** Returns the processor time used by a folder's processes, including their ended children. */
function processorSeconds(folder: string): number {
  const ticks = processesOf(folder).map((pid) => {
    try {
      const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
      return fields.slice(11, 15).reduce((sum, value) => sum + Number(value), 0)
    } catch {
      return 0
    }
  })
  return ticks.reduce((sum, value) => sum + value, 0) / TICKS
}

/** OpenClaw looks after its database in processes of their own, now and then. */
function isHelper(pid: number): boolean {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('/openclaw/dist/infra/')
  } catch {
    return true
  }
}
