import { once } from 'node:events'
import { request as httpRequest } from 'node:http'
import { connect } from 'node:net'
import { text as allOf } from 'node:stream/consumers'
import { test } from '@japa/runner'
import testUtils from '@adonisjs/core/services/test_utils'
import { AgentUnavailable } from '#agents/state/errors'
import { baseUrl, scriptedSurface, userWithToken } from '#tests/doubles/chat_surface'
import { ScriptedGateway } from '#tests/doubles/scripted_gateway'
import { TextStream } from '#tests/doubles/text_stream'

const CHAT = { model: 'openclaw', stream: true, messages: [{ role: 'user', content: 'Hello' }] }

test.group('The relay', (group) => {
  let gateway: ScriptedGateway
  let surface: ReturnType<typeof scriptedSurface>
  let token: string

  group.setup(() => testUtils.db().truncate())
  group.each.setup(async () => {
    gateway = await new ScriptedGateway().start()
    surface = scriptedSurface()
    surface.waker.remembered = gateway.access
    const owner = await userWithToken()
    token = owner.token
    return async () => {
      await surface.restore()
      await gateway.stop()
    }
  })

  /** Makes streams start and send keep-alives before the agent has said anything. */
  async function answerEarly() {
    await surface.restore()
    surface = scriptedSurface({ timing: { openAfterMs: 20, heartbeatMs: 20 } })
    surface.waker.remembered = gateway.access
  }

  function ask(body: unknown = CHAT, headers: Record<string, string> = {}, signal?: AbortSignal) {
    return fetch(`${baseUrl()}/v1/chat/completions`, {
      method: 'POST',
      headers: {
        'authorization': `Bearer ${token}`,
        'content-type': 'application/json',
        ...headers,
      },
      body: JSON.stringify(body),
      signal,
    })
  }

  test('gives the gateway its own token and session, and nothing of the client’s', async ({
    assert,
  }) => {
    const body = { ...CHAT, user: 'notes' }
    const answer = await ask(body, {
      'cookie': 'session=secret',
      'x-openclaw-session-key': 'cron:forged',
      'x-openclaw-model': 'other/model',
      'x-openclaw-scopes': 'operator.admin',
      'x-forwarded-for': '10.1.2.3',
      'x-forwarded-proto': 'https',
      'x-real-ip': '10.1.2.3',
      'user-agent': 'client/1',
    })
    await answer.text()
    const [{ headers }] = gateway.requests
    assert.equal(headers.authorization, 'Bearer gateway-token')
    assert.equal(headers['x-openclaw-session-key'], 'api:notes')
    assert.equal(headers['user-agent'], 'client/1')
    assert.equal(headers.host, new URL(gateway.access.url).host)
    assert.sameMembers(Object.keys(headers), [
      'host',
      'connection',
      'authorization',
      'content-type',
      'accept',
      'x-openclaw-session-key',
      'accept-language',
      'user-agent',
      'content-length',
    ])
  })

  test('gives the client nothing of the agent’s but the answer', async ({ assert }) => {
    gateway.script = (reply) =>
      reply
        .begin({ 'set-cookie': ['a=b'], 'x-powered-by': 'agent', 'x-request-id': 'theirs' })
        .finish()
    const stream = await ask()
    await stream.text()
    gateway.script = (reply) =>
      reply.json(
        200,
        { id: 'one', object: 'chat.completion', choices: [] },
        { 'set-cookie': 'a=b', 'x-a': 'b' }
      )
    const whole = await ask({ ...CHAT, stream: false })
    await whole.text()
    for (const { headers } of [stream, whole]) {
      assert.isNull(headers.get('set-cookie'))
      assert.isNull(headers.get('x-powered-by'))
      assert.isNull(headers.get('x-a'))
      assert.notEqual(headers.get('x-request-id'), 'theirs')
    }
    assert.equal(stream.headers.get('content-type'), 'text/event-stream; charset=utf-8')
    assert.equal(whole.headers.get('content-type'), 'application/json')
  })

  test('needs no chunks for a client that does not know them', async ({ assert }) => {
    const { hostname, port } = new URL(baseUrl())
    const body = JSON.stringify(CHAT)
    const socket = connect(Number(port), hostname)
    socket.write(
      `POST /v1/chat/completions HTTP/1.0\r\nauthorization: Bearer ${token}\r\n` +
        `content-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`
    )
    const [head, events] = (await allOf(socket)).split('\r\n\r\n')
    assert.match(head, /^HTTP\/1.1 200 OK/)
    assert.notInclude(head.toLowerCase(), 'transfer-encoding')
    assert.match(events, /^data: {.*Hello.*\n\ndata: \[DONE\]\n\n$/s)
  })

  test('hands each piece on while the agent still writes', async ({ assert }) => {
    const more = Promise.withResolvers<void>()
    gateway.script = async (reply) => {
      reply.begin().say('first')
      await more.promise
      reply.say('second').finish()
    }
    const stream = new TextStream(await ask())
    await stream.until('first')
    assert.notInclude(stream.text, 'second')
    more.resolve()
    await stream.until('[DONE]')
    assert.include(stream.text, 'second')
  })

  test('never cuts an event in two, wherever the network cut it', async ({ assert }) => {
    await answerEarly()
    const rest = Promise.withResolvers<void>()
    gateway.script = async (reply) => {
      reply.begin()
      reply.raw.write('data: {"choices":[{"delta":{"content":"ZZ')
      await rest.promise
      reply.raw.write('YY"}}]}\n\nda')
      reply.raw.end('ta: [DONE]\n\n')
    }
    const stream = new TextStream(await ask())
    await stream.until(': still here')
    assert.notInclude(stream.text, 'ZZ')
    rest.resolve()
    await stream.until('[DONE]')
    assert.include(
      stream.text,
      'data: {"choices":[{"delta":{"content":"ZZYY"}}]}\n\ndata: [DONE]\n\n'
    )
  })

  test('hangs up on the agent when the client leaves', async ({ assert }) => {
    const hungUp = Promise.withResolvers<void>()
    gateway.script = async (reply) => {
      reply.begin().say('Hello')
      await reply.hungUp()
      hungUp.resolve()
    }
    const client = new AbortController()
    const stream = new TextStream(await ask(CHAT, {}, client.signal))
    await stream.until('Hello')
    client.abort()
    await hungUp.promise
    assert.equal(surface.activity.begun, 1)
  })

  test('hangs up too when the client leaves before the agent said anything', async () => {
    const asked = Promise.withResolvers<void>()
    const hungUp = Promise.withResolvers<void>()
    gateway.script = async (reply) => {
      asked.resolve()
      await reply.hungUp()
      hungUp.resolve()
    }
    const client = new AbortController()
    const pending = ask({ ...CHAT, stream: false }, {}, client.signal).catch(() => {})
    await asked.promise
    client.abort()
    await hungUp.promise
    await pending
  })

  test('stops waiting for a wake when the client leaves', async ({ assert }) => {
    surface.waker.remembered = null
    const left = Promise.withResolvers<void>()
    const waking = Promise.withResolvers<void>()
    surface.waker.wake = (_agent, { signal }) => {
      waking.resolve()
      return new Promise((_, reject) => {
        signal!.addEventListener('abort', () => {
          left.resolve()
          reject(signal!.reason)
        })
      })
    }
    const client = new AbortController()
    const pending = ask(CHAT, {}, client.signal).catch(() => {})
    await waking.promise
    client.abort()
    await left.promise
    await pending
    assert.lengthOf(gateway.requests, 0)
    assert.lengthOf(surface.reported, 0)
  })

  test('holds the agent back when the client reads slowly', async ({ assert }) => {
    const piece = 'x'.repeat(64 * 1024)
    let written = 0
    const full = Promise.withResolvers<void>()
    gateway.script = async (reply) => {
      reply.begin()
      for (let i = 0; i < 2000; i++) {
        written += piece.length
        if (reply.raw.write(`data: {"c":"${piece}"}\n\n`)) continue
        const drained = await Promise.race([
          once(reply.raw, 'drain').then(() => true),
          new Promise<boolean>((resolve) => setTimeout(() => resolve(false), 500)),
        ])
        if (!drained) break
      }
      full.resolve()
      reply.die()
    }
    const client = httpRequest(`${baseUrl()}/v1/chat/completions`, {
      method: 'POST',
      headers: { 'authorization': `Bearer ${token}`, 'content-type': 'application/json' },
    })
    client.end(JSON.stringify(CHAT))
    const [response] = await once(client, 'response')
    response.pause()
    await full.promise
    client.destroy()
    assert.isBelow(written, 60 * 1024 * 1024)
  })

  test('ends a stream that breaks with an error that says so', async ({ assert }) => {
    gateway.script = (reply) => {
      reply.begin().say('Half an ans')
      setImmediate(() => reply.die())
    }
    const text = await (await ask()).text()
    const events = text.trim().split('\n\n')
    assert.equal(events.at(-1), 'data: [DONE]')
    const { error } = JSON.parse(events.at(-2)!.slice('data: '.length))
    assert.equal(error.code, 'E_AGENT_GONE')
    assert.match(error.message, /^Your agent stopped .+ goes on where it was/)
    assert.lengthOf(surface.waker.invalidated, 1)
  })

  test('takes a stream that ends without its end for broken', async ({ assert }) => {
    gateway.script = (reply) => void reply.begin().say('Half').raw.end()
    assert.include(await (await ask()).text(), 'E_AGENT_GONE')
  })

  test('counts the request until its stream has ended', async ({ assert }) => {
    const more = Promise.withResolvers<void>()
    gateway.script = async (reply) => {
      reply.begin().say('Hello')
      await more.promise
      reply.finish()
    }
    const stream = new TextStream(await ask())
    await stream.until('Hello')
    assert.equal(surface.activity.inFlight, 1)
    more.resolve()
    await stream.until('[DONE]')
    assert.equal(surface.activity.inFlight, 0)
  })

  test('asks for the agent anew when its address is dead, and sends the message once', async ({
    assert,
  }) => {
    const dead = await new ScriptedGateway().start()
    surface.waker.remembered = dead.access
    surface.waker.wake = async () => gateway.access
    await dead.stop()
    const text = await (await ask()).text()
    assert.include(text, 'Hello')
    assert.lengthOf(surface.waker.invalidated, 1)
    assert.lengthOf(surface.waker.woken, 1)
    assert.lengthOf(gateway.requests, 1)
  })

  test('asks for the agent anew when another answers at its address', async ({ assert }) => {
    const stranger = await new ScriptedGateway().start()
    stranger.script = (reply) =>
      reply.json(401, { error: { message: 'Unauthorized', type: 'unauthorized' } })
    surface.waker.remembered = stranger.access
    surface.waker.wake = async () => gateway.access
    assert.include(await (await ask()).text(), 'Hello')
    await stranger.stop()
  })

  test('does not send a message twice that an agent already took', async ({ assert }) => {
    gateway.script = (reply) => reply.die()
    const answer = await ask({ ...CHAT, stream: false })
    assert.equal(answer.status, 502)
    assert.equal(((await answer.json()) as any).error.code, 'E_AGENT_GONE')
    assert.lengthOf(gateway.requests, 1)
  })

  test('gives up after the second dead address', async ({ assert }) => {
    /** Port 1 is privileged, so nothing starts to listen there meanwhile. */
    const dead = { url: 'http://127.0.0.1:1', token: 'token' }
    surface.waker.remembered = dead
    surface.waker.wake = async () => dead
    const answer = await ask()
    assert.equal(answer.status, 503)
    assert.equal(((await answer.json()) as any).error.code, 'E_AGENT_UNREACHABLE')
    assert.isNotNull(answer.headers.get('retry-after'))
    assert.lengthOf(surface.waker.woken, 1)
  })

  test('answers with its own status when the agent cannot wake', async ({ assert }) => {
    surface.waker.remembered = null
    surface.waker.wake = async () => {
      throw new AgentUnavailable('no_provider')
    }
    for (const stream of [true, false]) {
      const answer = await ask({ ...CHAT, stream })
      assert.equal(answer.status, 503)
      assert.isNotNull(answer.headers.get('retry-after'))
      assert.equal(((await answer.json()) as any).error.code, 'E_AGENT_NO_PROVIDER')
    }
  })

  test('gives up on an agent that says nothing', async ({ assert }) => {
    await surface.restore()
    surface = scriptedSurface({ relay: { silenceTimeoutMs: 50 } })
    surface.waker.remembered = gateway.access
    gateway.script = (reply) => reply.hungUp()
    const answer = await ask({ ...CHAT, stream: false })
    assert.equal(answer.status, 504)
    assert.equal(((await answer.json()) as any).error.code, 'E_AGENT_SILENT')
  })

  test('keeps a waking client’s connection alive with comments', async ({ assert }) => {
    await answerEarly()
    surface.waker.remembered = null
    const awake = Promise.withResolvers<void>()
    surface.waker.wake = async (_agent, { onProgress }) => {
      await awake.promise
      onProgress!({ stage: 'ready', elapsedMs: 5, usualMs: null })
      return gateway.access
    }
    const stream = new TextStream(await ask())
    await stream.until(': still here')
    assert.lengthOf(gateway.requests, 0)
    awake.resolve()
    await stream.until('[DONE]')
    assert.match(stream.text, /: waking: ready\n\n[\s\S]*Hello/)
  })

  test('lets streams end when Mosaic stops, and takes no new ones', async ({ assert }) => {
    const more = Promise.withResolvers<void>()
    gateway.script = async (reply) => {
      reply.begin().say('first')
      await more.promise
      reply.say('second').finish()
    }
    const stream = new TextStream(await ask())
    await stream.until('first')
    const drained = surface.relay.drain(60_000)
    const refused = await ask()
    assert.equal(refused.status, 503)
    assert.equal(((await refused.json()) as any).error.code, 'E_MOSAIC_STOPPING')
    more.resolve()
    await stream.until('[DONE]')
    await drained
    assert.include(stream.text, 'second')
  })

  test('ends streams that take too long when Mosaic stops, and says so', async ({ assert }) => {
    await answerEarly()
    gateway.script = (reply) => reply.begin().say('first').raw.flushHeaders()
    const stream = new TextStream(await ask())
    await stream.until('first')
    surface.waker.remembered = null
    surface.waker.wake = (_agent, { signal }) =>
      new Promise((_, reject) => signal!.addEventListener('abort', () => reject(signal!.reason)))
    const waking = new TextStream(await ask())
    await surface.relay.drain(0)
    for (const each of [stream, waking]) {
      await each.until('[DONE]')
      assert.include(each.text, 'E_MOSAIC_STOPPING')
    }
  })

  /** The first is answered before the framework, the others by its route. */
  test('answers nobody without a token, however the address is spelt: {$self}')
    .with(['', '?', '?a=b', '/'])
    .run(async ({ assert }, rest) => {
      for (const authorization of ['', 'Bearer', 'Bearer mos_wrong', `Basic ${token}`]) {
        const answer = await fetch(`${baseUrl()}/v1/chat/completions${rest}`, {
          method: 'POST',
          headers: { authorization },
          body: JSON.stringify(CHAT),
        })
        assert.equal(answer.status, 401)
        assert.deepEqual(await answer.json(), {
          error: {
            message:
              'The access token is not valid. Make a new one in the settings, under "Access tokens".',
            type: 'authentication_error',
            param: null,
            code: 'invalid_api_key',
          },
        })
      }
      assert.lengthOf(surface.waker.woken, 0)
      assert.lengthOf(gateway.requests, 0)
    })

  test('answers an owner, however the address is spelt: {$self}')
    .with(['', '?', '?a=b', '/'])
    .run(async ({ assert }, rest) => {
      const answer = await fetch(`${baseUrl()}/v1/chat/completions${rest}`, {
        method: 'POST',
        headers: { authorization: `bearer ${token}` },
        body: JSON.stringify(CHAT),
      })
      assert.include(await answer.text(), 'Hello')
      assert.isNotNull(answer.headers.get('x-request-id'))
    })
})
