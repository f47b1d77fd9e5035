import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as after } from 'node:timers/promises'
import { test } from '@japa/runner'
import { examineTimers } from '#openclaw/kept_timers'
import { ActingModel } from '#tests/e2e/acting_model'
import { textOf } from '#tests/e2e/api'
import { processesOf } from '#tests/e2e/canaries'
import { MosaicProcess } from '#tests/e2e/mosaic_process'
import { setUp } from '#tests/e2e/ready_mosaic'
import { openclawFolder } from '#tests/e2e/real_openclaw'

/** Past the minute after which OpenClaw would end its idle worker threads. */
const IDLE_MS = 70_000
/** Maximum processor seconds of such a chat. Restarting the threads takes over 5. */
const MOST_SEC = 2
const TIMEOUT_MS = 400_000
/** Clock ticks of /proc per second. */
const TICKS = 100

test.group('An agent that had nothing to do for a while, with the real OpenClaw', (group) => {
  group.each.timeout(TIMEOUT_MS)

  test('answers without starting its worker threads again', async ({ assert, cleanup }) => {
    const model = await new ActingModel().start()
    cleanup(() => model.stop())
    const mosaic = new MosaicProcess()
    await mosaic.prepare({})
    cleanup(() => mosaic.end())
    const api = await setUp(mosaic, {
      type: 'custom',
      baseUrl: model.url,
      apiKey: 'any',
      model: ActingModel.MODEL,
    })

    await api.chat('Good morning')
    await after(IDLE_MS)
    const agents = join(mosaic.storage, 'agents')
    const before = processorSeconds(agents)
    assert.equal(textOf(await api.chat('Are you still there?')), 'Done.')
    assert.isBelow(processorSeconds(agents) - before, MOST_SEC)
  })

  test('is an OpenClaw whose timers Mosaic knows', async ({ assert }) => {
    assert.deepEqual(await examineTimers(openclawFolder()), [])
  })
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
