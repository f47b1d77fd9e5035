import { setTimeout } from 'node:timers/promises'
import { test } from '@japa/runner'
import testUtils from '@adonisjs/core/services/test_utils'
import { AgentUnavailable } from '#agents/state/errors'
import { baseUrl, scriptedSurface, userWithToken } from '#tests/doubles/chat_surface'
import { eventsOf } from '#tests/doubles/page_events'
import { ScriptedGateway } from '#tests/doubles/scripted_gateway'
import { TextStream } from '#tests/doubles/text_stream'

test.group("The page's chat", (group) => {
  let gateway: ScriptedGateway
  let surface: ReturnType<typeof scriptedSurface>
  let owner: Awaited<ReturnType<typeof userWithToken>>

  group.setup(() => testUtils.db().truncate())
  group.each.setup(async () => {
    gateway = await new ScriptedGateway().start()
    surface = scriptedSurface()
    surface.waker.remembered = gateway.access
    owner = await userWithToken()
    return async () => {
      await surface.restore()
      await gateway.stop()
    }
  })

  function ask(body: unknown): Promise<Response> {
    return fetch(`${baseUrl()}/api/v1/chat`, {
      method: 'POST',
      headers: {
        'authorization': `Bearer ${owner.token}`,
        'content-type': 'application/json',
        'cookie': 'a=b',
        'x-openclaw-scopes': 'operator.admin',
      },
      body: JSON.stringify(body),
    })
  }

  const answered = async (body: unknown = { message: 'Hello' }) =>
    eventsOf(await (await ask(body)).text())

  test('tells when it took the question, however late the first word comes', async ({ assert }) => {
    let askedAt = 0
    gateway.script = async (reply) => {
      askedAt = Date.now()
      await setTimeout(1000)
      reply.begin().say('Hello').finish()
    }
    const { headers } = await ask({ message: 'Hello' })
    assert.isAtMost(Date.parse(headers.get('date')!), askedAt)
  })

  test('answers with the text as it comes, then with what it cost', async ({ assert }) => {
    gateway.script = (reply) => {
      reply.begin().say('Grüße, ').say('Welt')
      const usage = { prompt_tokens: 3, completion_tokens: 2, total_tokens: 5 }
      reply.event({ choices: [], usage }).finish()
    }
    const conversationId = 'tz4a98xxat96iws9zmbrgj3a'
    assert.deepEqual(await answered({ message: 'Hello', conversationId }), [
      { name: 'delta', data: { text: 'Grüße, ' } },
      { name: 'delta', data: { text: 'Welt' } },
      {
        name: 'done',
        data: { conversationId, usage: { inputTokens: 3, outputTokens: 2, totalTokens: 5 } },
      },
    ])
    const [{ headers, body }] = gateway.requests
    assert.equal(headers['x-openclaw-session-key'], `web:${conversationId}`)
    assert.notProperty(headers, 'cookie')
    assert.notProperty(headers, 'x-openclaw-scopes')
    assert.deepEqual(body.messages, [{ role: 'user', content: 'Hello' }])
  })

  test('makes a conversation where none is named', async ({ assert }) => {
    const { data } = (await answered()).at(-1)!
    assert.match(data.conversationId, /^[a-z0-9]{24}$/)
    assert.equal(
      gateway.requests[0].headers['x-openclaw-session-key'],
      `web:${data.conversationId}`
    )
  })

  test('goes on with a conversation that an OpenAI client named', async ({ assert }) => {
    await answered({ message: 'Hello', conversationId: 'api:notes' })
    assert.equal(gateway.requests[0].headers['x-openclaw-session-key'], 'api:notes')
  })

  test('hands each piece on while the agent still writes', async ({ assert }) => {
    const more = Promise.withResolvers<void>()
    gateway.script = async (reply) => {
      reply.begin().say('first')
      await more.promise
      reply.say('second').finish()
    }
    const stream = new TextStream(await ask({ message: 'Hello' }))
    await stream.until('first')
    assert.notInclude(stream.text, 'second')
    more.resolve()
    await stream.until('event: done')
  })

  test('tells how the wake goes before the first word', async ({ assert }) => {
    surface.waker.remembered = null
    const progress = { elapsedMs: 5, usualMs: 9000 }
    surface.waker.wake = async (_agent, { onProgress }) => {
      onProgress!({ stage: 'queued', ...progress, queuePosition: 2 })
      onProgress!({ stage: 'booting', ...progress })
      return gateway.access
    }
    const events = await answered()
    assert.deepEqual(events[0], {
      name: 'progress',
      data: { stage: 'queued', ...progress, queuePosition: 2 },
    })
    assert.deepEqual(
      events.map(({ name }) => name),
      ['progress', 'progress', 'delta', 'done']
    )
  })

  test('tells why the agent cannot wake, and what to do', async ({ assert }) => {
    surface.waker.remembered = null
    surface.waker.wake = async () => {
      throw new AgentUnavailable('no_provider')
    }
    const [{ name, data }] = await answered()
    assert.equal(name, 'error')
    assert.equal(data.code, 'E_AGENT_NO_PROVIDER')
    assert.isNotEmpty(data.message)
    assert.isNotEmpty(data.hint)
  })

  test('tells that the agent was killed in the middle of its answer, and what to do', async ({
    assert,
  }) => {
    gateway.script = (reply) => {
      reply.begin().say('Half an ans')
      setImmediate(() => reply.die())
    }
    const events = await answered({ message: 'Hello', conversationId: 'abc' })
    assert.deepEqual(events[0].data, { text: 'Half an ans' })
    assert.deepEqual(events[1].data, {
      code: 'E_AGENT_GONE',
      message: 'Your agent stopped in the middle of its answer.',
      hint: 'It starts again by itself and goes on where it was. Look again in a minute before you send your message again.',
      conversationId: 'abc',
    })
  })

  test('tells what the provider did when a run fails', async ({ assert }) => {
    gateway.script = (reply) => {
      surface.failures.record(`user/${owner.user.id}`, {
        provider: 'work',
        reason: 'unreachable',
        message: 'work cannot be reached.',
      })
      reply.begin().fail('internal error')
    }
    const [{ name, data }] = await answered()
    assert.equal(name, 'error')
    assert.equal(data.code, 'E_MODEL_UNREACHABLE')
    assert.equal(data.message, 'work cannot be reached.')
  })

  test('tells that something went wrong inside without saying what', async ({ assert }) => {
    surface.waker.remembered = null
    surface.waker.wake = async () => {
      throw new Error('select * from secrets')
    }
    const [{ data }] = await answered()
    assert.equal(data.code, 'E_INTERNAL')
    assert.notInclude(JSON.stringify(data), 'secrets')
    assert.lengthOf(surface.reported, 1)
  })

  test('refuses what is no message before it wakes anyone: {$self}')
    .with([
      {},
      { message: '' },
      { message: ' \n', attachments: [] },
      { message: 'x', conversationId: '../x' },
      { message: 7 },
    ])
    .run(async ({ assert }, body) => {
      const answer = await ask(body)
      assert.equal(answer.status, 422)
      assert.equal(surface.activity.begun, 0)
    })

  test('needs a sign-in', async ({ assert }) => {
    owner.token = 'mos_wrong'
    assert.equal((await ask({ message: 'Hello' })).status, 401)
    assert.lengthOf(gateway.requests, 0)
  })
})
