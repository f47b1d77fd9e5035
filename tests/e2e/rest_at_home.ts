import { test } from '@japa/runner'
import { GatewayControl } from '#openclaw/gateway_control'
import { ActingModel } from '#tests/e2e/acting_model'
import { textOf } from '#tests/e2e/api'
import type { WorkingHome, WorkStage } from '#tests/e2e/work_stage'

/** Leaves time to rest before the half minute in which the reminder keeps the agent awake. */
const DUE_MS = 75_000
/** A busy machine needs more time. */
const DUE_LATER_MS = 180_000
const OTHER_MODEL = 'actor-2'

/**
 * Guarantees for an agent that rests, wherever it runs: each test continues with the agent of the one before,
 * which no test starts again.
 */
export function restTests(given: () => WorkStage, home: WorkingHome): void {
  const answer = async (message: string) => textOf(await given().api.chat(message))

  test('does not rest while it answers, and the answer is whole', async ({ assert }) => {
    const stage = given()
    const { model } = stage
    await answer('Good morning')
    model.hold()
    const before = model.asked.length
    const larks = answer('Tell me of larks')
    await stage.until(() => model.asked.length > before)
    /** Left alone for the request that Mosaic knows of, or else for the work that the gateway tells of. */
    await stage.until(async () => (await stage.reap()).candidates === 1)
    assert.equal(await stage.status(), 'running')
    model.release()
    assert.equal(await larks, 'Done.')
  })

  test('answers with the model that was chosen while it rested', async ({ assert }) => {
    const stage = given()
    const { api, model } = stage
    await stage.rest()
    const { started_at: before } = stage.row()
    const [{ id, name }] = await api.ask<{ id: string; name: string }[]>('GET', '/api/v1/providers')
    const models = [ActingModel.MODEL, OTHER_MODEL].map((one) => ({ id: one, name: one }))
    await api.ask('PATCH', `/api/v1/providers/${id}`, { models })
    await api.ask('PUT', '/api/v1/agent-config', { primaryModel: `${name}/${OTHER_MODEL}` })
    assert.equal(await stage.status(), 'resting')

    assert.equal(await answer('Tell me of finches'), 'Done.')
    assert.equal(model.models.at(-1), OTHER_MODEL)
    assert.equal(stage.row().started_at, before)
  })

  test('is resumed ahead of its reminder, and the reminder runs', async ({ assert }) => {
    const stage = given()
    const { started_at: before } = stage.row()
    const restBefore = async (name: string, dueMs: number) => {
      await answer('Good evening')
      const due = Date.now() + dueMs
      await stage.remind(name, due)
      await stage.rest()
      return stage.row().next_job_at === null ? null : { name, due }
    }
    const { name, due } =
      (await restBefore('teapot', DUE_MS)) ?? (await restBefore('saucer', DUE_LATER_MS))!
    assert.closeTo(Date.parse(`${stage.row().next_job_at}Z`), due, 1500)

    await stage.reminded(name)
    assert.equal(stage.row().started_at, before)
  })

  test('answers after a kill of Mosaic in the middle of its rest', async ({ assert }) => {
    const stage = given()
    await stage.rest()
    const { started_at: before } = stage.row()
    await stage.killMosaic()
    assert.equal(await answer('Are you there?'), 'Done.')
    assert.equal(stage.row().started_at, before)
  })

  test('answers after a kill of Mosaic that had suspended it and not yet noted it', async ({
    assert,
  }) => {
    const stage = given()
    const { started_at: before, container_name: name } = stage.row()
    const gateway = await stage.gateway()
    await stage.killMosaic(async () => {
      await stage.until(
        async () => (await new GatewayControl().close(gateway, { drain: false })) === 'closed'
      )
      await home.suspend(stage.mosaic, name)
      assert.equal(stage.row().status, 'running')
    })
    assert.equal(await answer('Are you still there?'), 'Done.')
    assert.equal(stage.row().started_at, before)
  })

  test('answers after a restart of the engine that its container rested on', async ({ assert }) => {
    const stage = given()
    await stage.rest()
    await home.restartEngine!()
    assert.equal(await answer('Are you there again?'), 'Done.')
    assert.equal(await stage.status(), 'running')
  }).skip(!home.restartEngine, 'There is no engine here that may be restarted.')
}
