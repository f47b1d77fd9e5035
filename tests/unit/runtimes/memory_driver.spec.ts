import { test } from '@japa/runner'
import { Secret } from '@adonisjs/core/helpers'
import { MemoryDriver } from '#tests/doubles/memory_runtime/driver'
import type { Instance, InstanceSpec } from '#runtimes/contract'

const SPEC: InstanceSpec = {
  name: 'mosaic-user-1',
  agent: 'user/1',
  installation: 'here',
  generation: 1,
  hash: 'a',
  apiUrl: 'http://127.0.0.1:9',
  token: new Secret('token'),
  image: null,
  limits: { memoryMb: 512, cpus: 1, processes: 64 },
}

test.group('Runtime | memory', (group) => {
  let driver: MemoryDriver
  let now: number

  group.each.setup(() => {
    now = 1_000_000
    driver = new MemoryDriver({ now: () => now }, 'here')
    return () => driver.close()
  })

  const start = () => driver.ensure(SPEC, { signal: new AbortController().signal })

  function call({ endpoint }: Instance, path: string, body?: object) {
    return fetch(endpoint + path, {
      method: body ? 'POST' : 'GET',
      headers: { 'authorization': 'Bearer token', 'x-openclaw-session-key': 'k' },
      body: body && JSON.stringify(body),
    })
  }

  const chat = (instance: Instance, change: object = {}) =>
    call(instance, '/v1/chat/completions', {
      model: 'openclaw',
      messages: [{ role: 'user', content: 'hello there' }],
      stream: true,
      ...change,
    })

  /** The frames of a stream; `[DONE]` as it is. */
  const frames = (text: string): any[] =>
    text
      .split('\n\n')
      .filter(Boolean)
      .map((frame) => frame.slice('data: '.length))
      .map((data) => (data === '[DONE]' ? data : JSON.parse(data)))

  test('streams a role, the text in pieces, the end and the usage', async ({ assert }) => {
    const instance = await start()
    const answer = await chat(instance, { stream_options: { include_usage: true } })
    const [role, ...rest] = frames(await answer.text())
    assert.equal(role.choices[0].delta.role, 'assistant')
    assert.equal(rest.pop(), '[DONE]')
    assert.property(rest.pop().usage, 'total_tokens')
    assert.equal(rest.pop().choices[0].finish_reason, 'stop')
    assert.isAbove(rest.length, 1)
    const text = rest.map(({ choices }) => choices[0].delta.content).join('')
    assert.equal(text, 'Turn 1: hello there')
  })

  test('is ready once its boot time has passed', async ({ assert }) => {
    driver.behave(SPEC.name, { bootMs: 5000 })
    const instance = await start()
    assert.equal((await call(instance, '/healthz')).status, 200)
    assert.equal((await call(instance, '/startupz')).status, 503)
    now += 5000
    assert.equal((await call(instance, '/startupz')).status, 200)
  })

  test('gives the history and the list of sessions', async ({ assert }) => {
    const instance = await start()
    await (await chat(instance)).text()
    const history: any = await (await call(instance, '/sessions/k/history')).json()
    assert.equal(history.sessionKey, 'agent:main:k')
    assert.deepEqual(
      history.items.map(({ role }: any) => role),
      ['user', 'assistant']
    )
    const list: any = await (
      await call(instance, '/tools/invoke', { tool: 'sessions_list' })
    ).json()
    assert.equal(list.result.details.sessions[0].key, 'agent:main:k')
  })

  test('pages through a history from its end', async ({ assert }) => {
    const instance = await start()
    for (let turn = 0; turn < 3; turn++) await (await chat(instance)).text()
    const page = async (query: string): Promise<any> =>
      (await call(instance, `/sessions/k/history?limit=4${query}`)).json()
    const last = await page('')
    assert.isTrue(last.hasMore)
    assert.lengthOf(last.items, 4)
    const first = await page(`&cursor=${last.nextCursor}`)
    assert.isFalse(first.hasMore)
    assert.lengthOf(first.items, 2)
  })

  test('sends an error in a stream with status 200', async ({ assert }) => {
    const instance = await start()
    driver.behave(SPEC.name, { errorFrame: true })
    const answer = await chat(instance)
    assert.equal(answer.status, 200)
    const [, error, done] = frames(await answer.text())
    assert.property(error, 'error')
    assert.equal(done, '[DONE]')
    assert.equal((await chat(instance, { stream: false })).status, 500)
  })

  test('dies in the middle of a stream', async ({ assert }) => {
    const instance = await start()
    driver.behave(SPEC.name, { crashMidStream: true })
    await assert.rejects(async () => (await chat(instance)).text())
    assert.equal((await driver.inspect(instance))!.status, 'exited')
    assert.equal(driver.counts(SPEC.name).alive, 0)
  })

  test('hangs until the client leaves', async ({ assert }) => {
    const instance = await start()
    driver.behave(SPEC.name, { hang: true })
    const answer = await chat(instance)
    const reader = answer.body!.getReader()
    assert.include(new TextDecoder().decode((await reader.read()).value), 'assistant')
    await reader.cancel()
  })

  test('refuses to start with the reason it is told', async ({ assert }) => {
    driver.behave('*', { refuse: 'image_missing' })
    const error = await start().catch((thrown) => thrown)
    assert.equal(error.reason, 'image_missing')
    assert.equal(driver.counts(SPEC.name).starts, 0)
  })

  test('counts starts, stops and how many lived at once', async ({ assert }) => {
    await Promise.all([start(), start(), start()])
    await driver.stop({ name: SPEC.name, state: null })
    await start()
    assert.deepEqual(driver.counts(SPEC.name), { starts: 2, stops: 1, alive: 1, mostAlive: 1 })
  })

  test('forgets everything when it is reset', async ({ assert }) => {
    await start()
    driver.behave(SPEC.name, { hang: true })
    await driver.reset()
    assert.isNull(await driver.inspect({ name: SPEC.name, state: null }))
    assert.equal(driver.counts(SPEC.name).starts, 0)
    assert.equal((await chat(await start())).status, 200)
  })
})
