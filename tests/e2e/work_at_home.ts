import { hostname } from 'node:os'
import { test } from '@japa/runner'
import { textOf } from '#tests/e2e/api'
import { restTests } from '#tests/e2e/rest_at_home'
import { WorkStage, type WorkingHome } from '#tests/e2e/work_stage'

/** A wake of the real OpenClaw on a busy machine, plus the two minutes by which it defers a late job. */
const TIMEOUT_MS = 400_000
/** An agent's shell that outlives any test, identified by its number. */
const SHELL = 'sleep 91733'

/** Guarantees for an agent with background work, wherever it runs. */
export function workAtHome(title: string, home: WorkingHome): void {
  test.group(title, (group) => {
    let stage: WorkStage

    group.setup(async () => {
      stage = new WorkStage(home)
      await stage.open()
      return () => stage.close()
    })
    group.each.timeout(TIMEOUT_MS)

    test('answers after the next wake what was said while it stopped', async ({ assert }) => {
      const { api, model } = stage
      await api.chat('Good morning')
      model.hold()
      const before = model.asked.length
      const first = api.chat('Tell me of parrots', 'parrots')
      await stage.until(() => model.asked.length > before)
      await api.ask('POST', '/api/v1/agent/stop')
      assert.equal(await stage.status(), 'stopping')
      const second = api.chat('Tell me of owls', 'owls')
      model.release()

      assert.equal(textOf(await first), 'Done.')
      const events = await second
      assert.equal(textOf(events), 'Done.')
      assert.isTrue(events.some(({ event }) => event === 'progress'))
      assert.lengthOf(
        model.asked.filter((text) => text.includes('of owls')),
        1
      )
    })

    test('tells its provider neither the machine’s name, nor its own, nor where its data is', async ({
      assert,
    }) => {
      const { api, model, mosaic } = stage
      await api.ask('POST', '/api/v1/agent/start')
      await stage.until(async () => (await stage.status()) === 'running')
      await api.chat('Where are you?')
      const { container_name: name, user_id: user } = stage.row()
      const sent = model.received.join('\n')
      assert.include(sent, 'workspace')
      for (const own of [mosaic.folder, name]) assert.notInclude(sent, own)
      for (const word of [hostname(), user]) {
        assert.notMatch(sent, new RegExp(`\\b${RegExp.escape(word)}\\b`))
      }
    })

    test('is woken ahead of its reminder, and the reminder has run', async ({ assert }) => {
      const { api } = stage
      await api.chat('Good evening')
      const due = Date.now() + 45_000
      const { started_at: before } = stage.row()
      await stage.remind('kettle', due)
      await api.ask('POST', '/api/v1/agent/stop')
      await stage.until(() => stage.row().next_job_at)
      assert.closeTo(Date.parse(`${stage.row().next_job_at}Z`), due, 1500)

      await stage.reminded('kettle')
      assert.equal(stage.row().status, 'running')
      assert.notEqual(stage.row().started_at, before)
    })

    test('does not rest while a shell of it runs in the background', async ({ assert }) => {
      const shells = () => home.running(stage.mosaic, SHELL)
      await stage.api.chat(`Please run: ${SHELL}`)
      await stage.until(async () => (await shells()).length > 0)
      await stage.until(async () => (await stage.reap()).working === 1)
      assert.equal(await stage.status(), 'running')
      assert.lengthOf(await shells(), 1)

      for (const shell of await shells()) await home.kill(shell)
      await stage.rest()
    })

    restTests(() => stage, home)
  })
}
