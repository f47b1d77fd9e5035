import { test } from '@japa/runner'
import testUtils from '@adonisjs/core/services/test_utils'
import type { CallGateway } from '#chat/approvals'
import type { RunEvent } from '#openclaw/run_events'
import { E_GATEWAY_FAILED } from '#openclaw/errors'
import { callAs, scriptedSurface, userWithToken } from '#tests/doubles/chat_surface'
import { eventsOf } from '#tests/doubles/page_events'
import { PNG } from '#tests/doubles/png'
import { ScriptedGateway } from '#tests/doubles/scripted_gateway'
import { TextStream } from '#tests/doubles/text_stream'

test.group("Runs of the page's chat", (group) => {
  let gateway: ScriptedGateway
  let surface: ReturnType<typeof scriptedSurface>
  let owner: Awaited<ReturnType<typeof userWithToken>>
  let tell: (event: RunEvent) => void = () => {}
  let watched: { key: string; ended: boolean }[] = []
  let called: { method: string; params: any }[] = []
  let answerCall: CallGateway = async () => ({}) as any

  group.setup(() => testUtils.db().truncate())
  group.each.setup(async () => {
    gateway = await new ScriptedGateway().start()
    watched = []
    called = []
    surface = scriptedSurface({
      watch: (_access, key, take) => {
        const watch = { key, ended: false }
        watched.push(watch)
        tell = take
        return () => void (watch.ended = true)
      },
      call: (access, method, params) => {
        called.push({ method, params })
        return answerCall(access, method, params)
      },
    })
    surface.waker.remembered = gateway.access
    owner = await userWithToken()
    return async () => {
      await surface.restore()
      await gateway.stop()
    }
  })

  const call = (method: string, path: string, body?: unknown, signal?: AbortSignal, as = owner) =>
    callAs(as, method, path, body, signal)
  const ask = (body: object, signal?: AbortSignal) => call('POST', '/chat', body, signal)
  const answered = async (body: object) => eventsOf(await (await ask(body)).text())

  test('tell tools, thoughts, approvals and files beside the text', async ({ assert }) => {
    gateway.script = (reply) => {
      tell({ kind: 'model', model: 'mosaic-work/parrot-1' })
      tell({ kind: 'reasoning', text: 'Let me look.' })
      const step = { kind: 'tool', id: 'c1', name: 'exec', title: 'ls', failed: false } as const
      tell({ ...step, phase: 'start', elapsedMs: 0 })
      tell({ ...step, phase: 'end', elapsedMs: 1500, output: 'a.txt' })
      tell({
        kind: 'approval',
        id: 'a1',
        about: 'exec',
        title: 'rm a.txt',
        detail: null,
        isWhole: true,
        decisions: ['allow-once', 'deny'],
        expiresAt: null,
        state: 'pending',
      })
      tell({ kind: 'media', paths: ['./pic.png'] })
      reply.begin().say('Done.').finish()
    }
    const events = await answered({ message: 'Look', conversationId: 'c1' })
    assert.deepEqual(
      events.map(({ name }) => name),
      ['reasoning', 'tool', 'tool', 'approval', 'files', 'delta', 'done']
    )
    assert.deepEqual(events[0].data, { text: 'Let me look.' })
    assert.deepEqual(events[2].data, {
      id: 'c1',
      name: 'exec',
      title: 'ls',
      failed: false,
      phase: 'end',
      elapsedMs: 1500,
      output: 'a.txt',
    })
    const [file] = events[4].data.files
    assert.equal(file.url, '/api/v1/conversations/c1/picture?path=.%2Fpic.png')
    assert.equal(events[6].data.model, 'work/parrot-1')
    assert.notProperty(events[6].data, 'standIn')
    assert.deepEqual(watched, [{ key: 'web:c1', ended: true }])
  })

  test('tell that a stand-in answered', async ({ assert }) => {
    gateway.script = (reply) => {
      tell({ kind: 'model', model: 'mosaic-work/parrot-1' })
      tell({ kind: 'model', model: 'mosaic-work/parrot-2' })
      reply.begin().say('Done.').finish()
    }
    const { data } = (await answered({ message: 'Look' })).at(-1)!
    assert.containsSubset(data, { model: 'work/parrot-2', standIn: true })
  })

  test('tell the owner’s name of a model that its service calls otherwise', async ({ assert }) => {
    gateway.script = (reply) => {
      tell({ kind: 'model', model: 'mosaic-work/parrot-1-2026-11-01' })
      const insteadOf = 'mosaic-work/parrot-1-2026-11-01'
      tell({ kind: 'model', model: 'mosaic-work/parrot-1', insteadOf })
      reply.begin().say('Done.').finish()
    }
    const { data } = (await answered({ message: 'Look' })).at(-1)!
    assert.containsSubset(data, { model: 'work/parrot-1' })
    assert.notProperty(data, 'standIn')
  })

  test('end with a client that leaves', async ({ assert }) => {
    const hungUp = Promise.withResolvers<void>()
    gateway.script = async (reply) => {
      reply.begin().say('first')
      await reply.hungUp()
      hungUp.resolve()
    }
    const abort = new AbortController()
    const stream = new TextStream(await ask({ message: 'x', conversationId: 'c1' }, abort.signal))
    await stream.until('first')
    abort.abort()
    await hungUp.promise
    assert.equal((await call('GET', '/conversations/c1/run')).status, 404)
  })

  test('in the background go on without their client, and tell one that comes back all of it', async ({
    assert,
  }) => {
    const more = Promise.withResolvers<void>()
    gateway.script = async (reply) => {
      const step = { kind: 'tool', id: 't1', name: 'exec', title: 'ls', failed: false } as const
      tell({ ...step, phase: 'start', elapsedMs: 0 })
      tell({ ...step, phase: 'end', elapsedMs: 9, output: 'a' })
      reply.begin().say('one ').say('two ')
      await more.promise
      reply.say('three').finish()
    }
    const abort = new AbortController()
    const body = { message: 'Count', conversationId: 'c1', background: true }
    const first = new TextStream(await ask(body, abort.signal))
    await first.until('two ')
    abort.abort()

    const back = await call('GET', '/conversations/c1/run')
    assert.equal(back.status, 200)
    more.resolve()
    const events = eventsOf(await back.text())
    assert.equal(events[0].name, 'question')
    assert.equal(events[0].data.text, 'Count')
    const tools = events.filter(({ name }) => name === 'tool')
    assert.lengthOf(tools, 1)
    assert.containsSubset(tools[0].data, { phase: 'end', output: 'a' })
    const text = events.filter(({ name }) => name === 'delta').map(({ data }) => data.text)
    assert.equal(text.join(''), 'one two three')
    assert.equal(events.at(-1)!.name, 'done')
    assert.equal((await call('GET', '/conversations/c1/run')).status, 404)
  })

  test('are stopped by their owner alone', async ({ assert }) => {
    const hungUp = Promise.withResolvers<void>()
    gateway.script = async (reply) => {
      reply.begin().say('first')
      await reply.hungUp()
      hungUp.resolve()
    }
    const body = { message: 'x', conversationId: 'c1', background: true }
    const stream = new TextStream(await ask(body))
    await stream.until('first')
    const other = await userWithToken()
    assert.equal(
      (await call('GET', '/conversations/c1/run', undefined, undefined, other)).status,
      404
    )
    await call('DELETE', '/conversations/c1/run', undefined, undefined, other)
    assert.isFalse(watched[0].ended)
    assert.equal((await call('DELETE', '/conversations/c1/run')).status, 204)
    await hungUp.promise
  })

  test('tell their other readers that they were stopped', async ({ assert }) => {
    gateway.script = async (reply) => {
      reply.begin().say('first')
      await reply.hungUp()
    }
    const body = { message: 'x', conversationId: 'c1', background: true }
    await new TextStream(await ask(body)).until('first')
    const other = await call('GET', '/conversations/c1/run')
    assert.equal((await call('DELETE', '/conversations/c1/run')).status, 204)
    const { name, data } = eventsOf(await other.text()).at(-1)!
    assert.equal(name, 'stopped')
    assert.deepEqual(data, { conversationId: 'c1' })
  })

  test('say that a long text was cut', async ({ assert }) => {
    const data = Buffer.from('ä'.repeat(200_001)).toString('base64')
    const attachments = [{ name: 'long.txt', type: 'text/plain', data }]
    await answered({ message: 'Read', attachments })
    const { content } = gateway.requests[0].body.messages[0]
    assert.include(content, 'ä\n[Cut here: the file has 200001 characters, and these are the first')
    assert.isTrue(content.endsWith('\n</attachment>'))
  })

  test('take pictures, texts and PDFs along', async ({ assert }) => {
    const attachments = [
      { name: 'dot.png', type: 'image/png', data: PNG.toString('base64') },
      { name: 'notes.md', type: 'text/markdown', data: Buffer.from('# Hi').toString('base64') },
    ]
    await answered({ message: 'Read', attachments })
    assert.deepEqual(gateway.requests[0].body.messages[0].content, [
      {
        type: 'text',
        text: 'Read\n\n<attachment name="notes.md" type="text/markdown">\n# Hi\n</attachment>',
      },
      { type: 'image_url', image_url: { url: `data:image/png;base64,${PNG.toString('base64')}` } },
    ])

    const pdf = Buffer.from('%PDF-1.7 x').toString('base64')
    gateway.script = (reply) => {
      reply.raw.writeHead(200, { 'content-type': 'text/event-stream' })
      reply.event({ type: 'response.output_text.delta', delta: 'A PDF.' })
      const usage = { input_tokens: 3, output_tokens: 2, total_tokens: 5 }
      reply.event({ type: 'response.completed', response: { usage } })
      reply.raw.end('data: [DONE]\n\n')
    }
    const events = await answered({
      message: 'Read',
      attachments: [{ name: 'a.pdf', type: 'application/pdf', data: pdf }],
    })
    assert.deepEqual(events[0].data, { text: 'A PDF.' })
    assert.deepEqual(events[1].data.usage, { inputTokens: 3, outputTokens: 2, totalTokens: 5 })
    const { input } = gateway.requests[1].body
    assert.containsSubset(input[0].content.at(-1), {
      type: 'input_file',
      source: { type: 'base64', media_type: 'application/pdf', data: pdf, filename: 'a.pdf' },
    })
  })

  test('take uploads along once, and only those of their owner', async ({ assert }) => {
    const file = { name: 'dot.png', type: 'image/png', data: PNG.toString('base64') }
    const uploaded = await call('POST', '/uploads', file)
    assert.equal(uploaded.status, 201)
    const { data } = (await uploaded.json()) as any
    assert.containsSubset(data, { name: 'dot.png', type: 'image/png', size: PNG.length })
    const { default: Upload } = await import('#models/upload')
    const row = await Upload.findOrFail(data.id)
    assert.match(row.content!, /^enc:/)

    const other = await userWithToken()
    const stolen = await call(
      'POST',
      '/chat',
      { message: 'x', attachments: [data.id] },
      undefined,
      other
    )
    assert.equal(stolen.status, 404)

    surface.waker.remembered = null
    assert.equal((await answered({ message: 'x', attachments: [data.id] })).at(-1)!.name, 'error')
    assert.isNotNull(await Upload.find(data.id), 'the agent never got it')

    surface.waker.remembered = gateway.access
    await answered({ message: 'x', attachments: [{ id: data.id }] })
    assert.equal(gateway.requests[0].body.messages[0].content[1].type, 'image_url')
    assert.isNull(await Upload.find(data.id))
    assert.equal((await ask({ message: 'x', attachments: [data.id] })).status, 404)
  })

  test('refuse a file that an agent cannot read, and too many bytes: {$self}')
    .with([
      [
        { name: 'a.png', type: 'image/png', data: Buffer.from('no picture').toString('base64') },
        422,
      ],
      [
        { name: 'a.zip', type: 'application/zip', data: Buffer.from('PK\0').toString('base64') },
        422,
      ],
      [{ name: 'a.txt', type: 'text/plain', data: '%%%' }, 422],
      [
        {
          name: 'a.txt',
          type: 'text/plain',
          data: Buffer.alloc(11 * 1024 * 1024, 65).toString('base64'),
        },
        422,
      ],
    ] as const)
    .run(async ({ assert }, [file, status]) => {
      assert.equal((await ask({ message: 'x', attachments: [file] })).status, status)
      assert.lengthOf(gateway.requests, 0)
    })

  test('answer approvals of their own conversation', async ({ assert }) => {
    const presentation = { kind: 'exec', allowedDecisions: ['allow-once', 'deny'] }
    const open = { id: 'a1', status: 'pending', presentation }
    answerCall = async (_access, method, params) =>
      (method === 'sessions.messages.subscribe'
        ? { approvalReplay: { approvals: params.key === 'agent:main:web:c1' ? [open] : [] } }
        : {}) as any
    const approve = (conversation: string, decision: string, id = 'a1') =>
      call('POST', `/conversations/${conversation}/approvals/${id}`, { decision })
    assert.equal((await approve('c2', 'allow-once')).status, 404)
    assert.equal((await approve('c1', 'allow-once', 'a2')).status, 404)
    assert.equal((await approve('c1', 'allow-always')).status, 404)
    assert.equal((await approve('c1', 'maybe')).status, 422)
    assert.isFalse(called.some(({ method }) => method === 'approval.resolve'))
    assert.equal((await approve('c1', 'allow-once')).status, 204)
    assert.deepEqual(called.at(-1), {
      method: 'approval.resolve',
      params: { id: 'a1', kind: 'exec', decision: 'allow-once' },
    })

    surface.waker.elsewhere = surface.waker.remembered
    surface.waker.remembered = null
    assert.equal((await approve('c1', 'deny')).status, 204)
    surface.waker.elsewhere = null
    assert.equal((await approve('c1', 'deny')).status, 404)
    assert.lengthOf(surface.waker.woken, 0)
  })

  test('show pictures of the agent, and nothing else', async ({ assert }) => {
    answerCall = async () =>
      ({ file: { encoding: 'base64', content: PNG.toString('base64') } }) as any
    const shown = await call('GET', '/conversations/c1/picture?path=pic.png')
    assert.equal(shown.headers.get('content-type'), 'image/png')
    assert.deepEqual(Buffer.from(await shown.arrayBuffer()), PNG)
    answerCall = async () =>
      ({ file: { encoding: 'base64', content: Buffer.from('secret').toString('base64') } }) as any
    assert.equal((await call('GET', '/conversations/c1/picture?path=pic.png')).status, 404)
  })

  test('show a file of the workspace as it is now, and a message’s own picture for an hour', async ({
    assert,
  }) => {
    const content = PNG.toString('base64')
    answerCall = async () =>
      ({ file: { encoding: 'base64', content }, encoding: 'base64', data: content }) as any
    const file = await call('GET', '/conversations/c1/picture?path=pic.png')
    assert.equal(file.headers.get('cache-control'), 'private, no-cache')
    assert.isNotEmpty(file.headers.get('etag'))
    const own = await call('GET', '/conversations/c1/picture?artifact=a1')
    assert.equal(own.headers.get('cache-control'), 'private, max-age=3600')
  })

  test('say that the agent did not answer, rather than that it has no such picture', async ({
    assert,
  }) => {
    surface.waker.wake = async () => (surface.waker.remembered = gateway.access)
    answerCall = async () => {
      throw new E_GATEWAY_FAILED()
    }
    assert.equal((await call('GET', '/conversations/c1/picture?path=pic.png')).status, 502)
    assert.lengthOf(surface.waker.invalidated, 1)
    answerCall = async () => {
      throw new E_GATEWAY_FAILED(undefined, { cause: { gatewayCode: 'INVALID_REQUEST' } })
    }
    assert.equal((await call('GET', '/conversations/c1/picture?path=pic.png')).status, 404)
  })
})
