import { test } from '@japa/runner'
import { processesOf } from '../runner/processes.mjs'
import { ModelService } from '#tests/e2e/model_service'
import { MosaicProcess } from '#tests/e2e/mosaic_process'
import { setUp } from '#tests/e2e/ready_mosaic'
import { SmallDisk } from '#tests/e2e/small_disk'
import { eventsOf, textOf, type Api, type ChatEvent } from '#tests/e2e/api'

const KEY = 'sk-canary-51e0c7d2'
/** One wake of the real OpenClaw on a busy machine, including preparations. */
const TIMEOUT_MS = 240_000
/** Room for one agent. */
const DISK_KB = 256 * 1024

/** Returns how a chat ended: its last event, as the user sees it. */
function endOf(events: ChatEvent[]) {
  const last = events.at(-1)!
  const { code, message, hint } = last.data
  return { event: last.event, code, told: Boolean(message && hint), leak: tellsKey(events) }
}

const tellsKey = (what: unknown) => JSON.stringify(what).includes(KEY)
const failed = (code: string) => ({ event: 'error', code, told: true, leak: false })

test.group('Trouble with a provider or an agent', (group) => {
  let mosaic: MosaicProcess
  let service: ModelService
  let api: Api
  let disk: SmallDisk | null = null

  group.setup(async () => {
    service = await new ModelService(KEY).start()
    mosaic = new MosaicProcess()
    if (SmallDisk.isPossible) disk = new SmallDisk(mosaic.storage, DISK_KB)
    await mosaic.prepare()
    api = await setUp(mosaic, {
      type: 'custom',
      baseUrl: service.url,
      apiKey: KEY,
      model: ModelService.MODEL,
    })
    return async () => {
      await mosaic.stopAll()
      disk?.remove()
      await mosaic.end()
      await service.stop()
    }
  })
  group.each.setup(() => () => service.recover())
  group.each.timeout(TIMEOUT_MS)

  const tested = async () => {
    const [{ id }] = await api.ask<{ id: string }[]>('GET', '/api/v1/providers')
    const result = await api.ask<{ ok: boolean; reason?: string; message?: string }>(
      'POST',
      `/api/v1/providers/${id}/test`
    )
    return { ok: result.ok, reason: result.reason, told: Boolean(result.message) }
  }

  test('a full disk is told at the first wake, and the chat goes on once there is room', async ({
    assert,
  }) => {
    disk!.fill()
    assert.deepEqual(endOf(await api.chat('Hello')), failed('E_AGENT_NO_CAPACITY'))

    disk!.makeRoom()
    await api.ask('POST', '/api/v1/agent/start')
    assert.equal(endOf(await api.chat('Good morning')).event, 'done')
  }).skip(!SmallDisk.isPossible, 'Only root can mount a disk.')

  test('a provider that is down is named, in the test and in the chat', async ({ assert }) => {
    await service.stop()
    assert.deepEqual(await tested(), { ok: false, reason: 'unreachable', told: true })
    assert.deepEqual(endOf(await api.chat('Are you there?')), failed('E_MODEL_UNREACHABLE'))
  })

  test('a wrong key is named, in the test and in the chat', async ({ assert }) => {
    service.key = 'another'
    assert.deepEqual(await tested(), { ok: false, reason: 'unauthorized', told: true })
    assert.deepEqual(endOf(await api.chat('Are you there?')), failed('E_MODEL_UNAUTHORIZED'))
  })

  test('a model that the provider does not know is named', async ({ assert }) => {
    service.model = 'another'
    assert.deepEqual(endOf(await api.chat('Are you there?')), failed('E_MODEL_NOT_FOUND'))
  })

  test('a model that nobody offers is refused at once', async ({ assert }) => {
    const messages = [{ role: 'user', content: 'Hello' }]
    const answer = await api.raw('POST', '/v1/chat/completions', { model: 'work/none', messages })
    assert.equal(answer.status, 404)
    const { error } = (await answer.json()) as { error: { code: string; message: string } }
    assert.equal(error.code, 'model_not_found')
    assert.isNotEmpty(error.message)
  })

  test('an agent that dies in the middle of an answer is told, and wakes again', async ({
    assert,
  }) => {
    service.hold()
    const answer = await api.raw('POST', '/api/v1/chat', { message: 'Tell me a story' })
    let text = ''
    for await (const chunk of answer.body!.pipeThrough(new TextDecoderStream())) {
      text += chunk
      if (!text.includes('event: delta') || !service.isHolding) continue
      for (const pid of agentsOf(mosaic)) process.kill(pid, 'SIGKILL')
      service.release()
    }
    const events = eventsOf(text)
    assert.isNotEmpty(textOf(events))
    assert.deepEqual(endOf(events), failed('E_AGENT_GONE'))

    const again = await api.chat('Go on')
    assert.equal(endOf(again).event, 'done')
  })
})

test.group('Trouble with the machine', (group) => {
  let mosaic: MosaicProcess

  group.each.setup(() => {
    mosaic = new MosaicProcess('/')
    return () => mosaic.end()
  })
  group.each.timeout(TIMEOUT_MS)

  test('an OpenClaw that is not installed is told, to users and to the operator', async ({
    assert,
  }) => {
    await mosaic.prepare()
    const api = await setUp(mosaic, { type: 'demo', model: 'echo' })
    assert.deepEqual(endOf(await api.chat('Hello')), failed('E_AGENT_IMAGE_MISSING'))

    const { code, out } = await mosaic.ace('doctor')
    assert.equal(code, 1)
    assert.include(out, 'OpenClaw is not installed')
    assert.include(out, 'npm run quickstart')
  })
})

/** Returns the installation's processes except its web process. */
function agentsOf(mosaic: MosaicProcess): number[] {
  return processesOf(mosaic.storage).filter((pid) => pid !== mosaic.pid)
}
