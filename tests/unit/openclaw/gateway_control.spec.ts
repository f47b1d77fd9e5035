import { test } from '@japa/runner'
import { nextOwnJobAt } from '#openclaw/control_shapes'
import { GatewayControl } from '#openclaw/gateway_control'
import { json, LoopbackProvider } from '#tests/functional/llm_relay/loopback_provider'
import { MemoryGateway, type MemoryFaults } from '#tests/doubles/memory_runtime/gateway'

const TOKEN = 'gateway-token'

test.group('Control over a gateway', (group) => {
  const control = new GatewayControl(2000)
  const faults: MemoryFaults = {}
  let gateway: MemoryGateway
  let access: { url: string; token: string }

  group.each.setup(async () => {
    for (const name of Object.keys(faults)) delete faults[name as keyof MemoryFaults]
    gateway = new MemoryGateway({
      token: TOKEN,
      sessions: new Map(),
      faults,
      now: Date.now,
      log: () => {},
      crash: () => {},
    })
    access = { url: await gateway.start(), token: TOKEN }
    return () => gateway.stop()
  })

  const chat = () =>
    fetch(`${access.url}/v1/chat/completions`, {
      method: 'POST',
      headers: { 'authorization': `Bearer ${TOKEN}`, 'content-type': 'application/json' },
      body: JSON.stringify({ messages: [{ role: 'user', content: 'Hi' }] }),
    })

  test('closes an idle gateway, and reopens it', async ({ assert }) => {
    assert.equal(await control.close(access, { drain: false }), 'closed')
    assert.equal((await chat()).status, 503)
    await control.reopen(access)
    assert.equal((await chat()).status, 200)
    await control.reopen(access)
  })

  test('leaves a busy gateway open, unless it drains', async ({ assert }) => {
    faults.working = true
    assert.equal(await control.close(access, { drain: false }), 'busy')
    assert.equal((await chat()).status, 200)

    assert.equal(await control.close(access, { drain: true }), 'draining')
    assert.equal((await chat()).status, 503)
    faults.working = false
    assert.equal(await control.close(access, { drain: true }), 'closed')
  })

  test('reopens a gateway however it was closed', async ({ assert }) => {
    for (const drain of [false, true]) {
      await control.close(access, { drain })
      await control.reopen(access)
      assert.isFalse(gateway.control.isClosed)
    }
  })

  test('knows when the schedule wants the agent next', async ({ assert }) => {
    assert.isNull(await control.nextJobAt(access))
    faults.nextJobAt = 5000
    assert.equal(await control.nextJobAt(access), 5000)
  })

  test('gives all pages of a schedule no more time than one call', async ({ assert, cleanup }) => {
    const slow = await new LoopbackProvider().start()
    cleanup(() => slow.stop())
    const timeoutMs = 1000
    const page = json(200, { payload: { jobs: [], hasMore: true, nextOffset: 1 } })
    slow.reply = (...asked) => void setTimeout(page, 0.5 * timeoutMs, ...asked)
    const asked = () => new GatewayControl(timeoutMs).nextJobAt({ url: slow.url, token: TOKEN })
    await assert.rejects(asked, /did not answer/)
    assert.isAtMost(slow.calls.length, 3)
  })

  test('tells of jobs that someone asked for, and not of those OpenClaw makes itself', ({
    assert,
  }) => {
    const job = (nextRunAtMs: number, more: object = {}) => ({ state: { nextRunAtMs }, ...more })
    assert.equal(
      nextOwnJobAt([
        job(1, { declarationKey: 'skill-collection-review:main' }),
        job(2, { declarationKey: 'memory-core:memory-dreaming-promotion' }),
        job(3, { enabled: false }),
        { state: {} },
        job(9),
        job(7, { declarationKey: 'mine' }),
      ]),
      7
    )
  })

  test('rejects when the gateway refuses, is away, or wants another token', async ({ assert }) => {
    const ask = (to = access) => control.close(to, { drain: false })
    await assert.rejects(() => ask({ ...access, token: 'wrong' }), /did not answer/)
    await assert.rejects(() => ask({ ...access, url: 'http://127.0.0.1:9' }), /did not answer/)
    faults.uncontrolled = true
    await assert.rejects(() => ask(), /did not answer/)
  })
})
