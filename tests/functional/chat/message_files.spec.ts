import { IncomingMessage, ServerResponse } from 'node:http'
import { Socket } from 'node:net'
import { test } from '@japa/runner'
import app from '@adonisjs/core/services/app'
import testUtils from '@adonisjs/core/services/test_utils'
import type { Attachment } from '#chat/attachments'
import { MessageFiles } from '#chat/message_files'
import { PageChat } from '#chat/page_chat'
import { Uploads } from '#chat/uploads'
import { UserLimits } from '#identity/user_limits'
import Upload from '#models/upload'
import settings from '#settings/services/main'
import { baseUrl, callAs, scriptedSurface, userWithToken } from '#tests/doubles/chat_surface'
import { ScriptedGateway, type GatewayReply } from '#tests/doubles/scripted_gateway'
import { TextStream } from '#tests/doubles/text_stream'

const MEGABYTE = 1024 * 1024
const LIMIT_MB = 10
const FILE_BYTES = 4 * MEGABYTE

test.group('Files of messages that are under way', (group) => {
  let gateway: ScriptedGateway
  let surface: ReturnType<typeof scriptedSurface>
  let owner: Awaited<ReturnType<typeof userWithToken>>
  let limits: UserLimits
  /** Answers that the gateway has begun. */
  let begun: GatewayReply[] = []
  let unsealed = 0

  group.each.setup(() => testUtils.db().wrapInGlobalTransaction())
  group.each.setup(async () => {
    gateway = await new ScriptedGateway().start()
    surface = scriptedSurface()
    surface.waker.remembered = gateway.access
    begun = []
    gateway.script = async (reply) => {
      begun.push(reply.begin().say('first'))
      await reply.hungUp()
    }
    await settings.set('onboarding.completed', true)
    await settings.set('limits.bodyMb', LIMIT_MB)
    owner = await userWithToken()

    const { container } = app
    const present = await container.make('identity.limits')
    limits = new UserLimits(settings)
    container.bindValue('identity.limits', limits)
    container.swap(MessageFiles, () => new MessageFiles(new Uploads(), limits))
    const { open } = Upload.prototype
    unsealed = 0
    Upload.prototype.open = function (property) {
      unsealed++
      return open.call(this, property)
    }
    return async () => {
      Upload.prototype.open = open
      container.restore(MessageFiles)
      container.bindValue('identity.limits', present)
      await surface.restore()
      await gateway.stop()
    }
  })

  const call = (method: string, path: string, body?: unknown, signal?: AbortSignal) =>
    callAs(owner, method, path, body, signal)
  const ask = (body: object, signal?: AbortSignal) =>
    call('POST', '/chat', { message: 'Read', ...body }, signal)
  const textOf = (bytes: number) => Buffer.alloc(bytes, 'a').toString('base64')
  const fileOf = (bytes = FILE_BYTES) => ({
    name: 'a.txt',
    type: 'text/plain',
    data: textOf(bytes),
  })
  const upload = async (bytes = FILE_BYTES) => {
    const answer = await call('POST', '/uploads', fileOf(bytes))
    return ((await answer.json()) as any).data.id as string
  }
  /** Resolves once the gateway answers the message. */
  const openly = async (body: object) => {
    const stream = new TextStream(await ask(body))
    await stream.until('first')
    return stream
  }
  const givenBack = async () => {
    while (limits.heldBytes > 0) await new Promise(setImmediate)
  }

  test('are so many bytes of their sender, also of the same upload, until the runs end', async ({
    assert,
  }) => {
    const id = await upload()
    const streams = []
    for (const conversationId of ['c1', 'c2']) {
      streams.push(await openly({ conversationId, attachments: [id], background: true }))
    }
    assert.isAtLeast(limits.heldBytes, 2 * FILE_BYTES)

    const refused = await ask({ attachments: [id], background: true })
    assert.equal(refused.status, 429)
    assert.isNotNull(refused.headers.get('retry-after'))
    assert.equal(((await refused.json()) as any).errors[0].code, 'E_TOO_MUCH_AT_ONCE')
    const inline = await ask({ attachments: [fileOf()], background: true })
    assert.equal(inline.status, 429)
    assert.equal(unsealed, 2, 'what is refused is not unsealed')
    assert.lengthOf(gateway.requests, 2)

    const other = await upload()
    for (const reply of begun) reply.finish()
    for (const stream of streams) await stream.until('event: done')
    await givenBack()
    const taken = await openly({ attachments: [other] })
    begun.at(-1)!.finish()
    await taken.until('event: done')
    await givenBack()
  })

  test('need no type, and are texts by what is in them: {$self}')
    .with(['', null, undefined, 'application/vnd.ms-excel', 'video/mp2t'])
    .run(async ({ assert }, type) => {
      const data = Buffer.from('FROM scratch').toString('base64')
      const id = await call('POST', '/uploads', { name: 'a.csv', type, data })
      assert.equal(id.status, 201)
      assert.equal(((await id.json()) as any).data.type, 'text/plain')
      const stream = await openly({ attachments: [{ name: 'Dockerfile', type, data }] })
      begun[0].finish()
      await stream.until('event: done')
    })

  test('say that an empty one cannot be read', async ({ assert }) => {
    const refused = await ask({ attachments: [{ name: 'a.txt', type: 'text/plain', data: '' }] })
    assert.equal(((await refused.json()) as any).errors[0].code, 'E_ATTACHMENT_UNREADABLE')
  })

  test('share the limit with requests under /v1', async ({ assert }) => {
    const id = await upload()
    const streams = [
      await openly({ conversationId: 'c1', attachments: [id] }),
      await openly({ conversationId: 'c2', attachments: [id] }),
    ]
    const content = 'x'.repeat(3 * MEGABYTE)
    const answer = await fetch(`${baseUrl()}/v1/chat/completions`, {
      method: 'POST',
      headers: { 'authorization': `Bearer ${owner.token}`, 'content-type': 'application/json' },
      body: JSON.stringify({ messages: [{ role: 'user', content }] }),
    })
    assert.equal(answer.status, 429)
    for (const reply of begun) reply.finish()
    for (const stream of streams) await stream.until('event: done')
  })

  test('are given back when the run ends otherwise: {$self}')
    .with(['the agent dies', 'the agent is away', 'it is stopped', 'the client leaves'] as const)
    .run(async ({ assert }, ending) => {
      const attachments = [await upload()]
      if (ending === 'the agent is away') {
        surface.waker.remembered = null
        assert.include(await (await ask({ attachments })).text(), 'event: error')
      } else {
        const leaving = new AbortController()
        const conversationId = 'c1'
        const stream = new TextStream(await ask({ conversationId, attachments }, leaving.signal))
        await stream.until('first')
        assert.isAtLeast(limits.heldBytes, FILE_BYTES)
        if (ending === 'the agent dies') begun[0].die()
        if (ending === 'it is stopped') await call('DELETE', '/conversations/c1/run')
        if (ending === 'the client leaves') leaving.abort()
      }
      await givenBack()
    })

  test('hold nothing if one is refused', async ({ assert }) => {
    const data = Buffer.alloc(FILE_BYTES).toString('base64')
    const unreadable = { name: 'a.zip', type: 'application/zip', data }
    const uploaded = await upload()
    assert.equal((await ask({ attachments: [uploaded, 'unknown'] })).status, 404)
    assert.equal((await ask({ attachments: [uploaded, unreadable] })).status, 422)
    assert.equal(limits.heldBytes, 0)
  })

  test('say in which field of the request they are wrong, and in which form they are sent', async ({
    assert,
  }) => {
    const data = Buffer.from('PK\0').toString('base64')
    const unreadable = { name: 'a.zip', type: 'application/zip', data }
    const wrongFile = async (answer: Response) => {
      const { errors } = (await answer.json()) as any
      return [answer.status, errors[0].code, errors[0].field]
    }
    const sent = await ask({ attachments: [unreadable] })
    assert.deepEqual(await wrongFile(sent), [422, 'E_ATTACHMENT_UNREADABLE', 'attachments'])
    const kept = await call('POST', '/uploads', unreadable)
    assert.deepEqual(await wrongFile(kept), [422, 'E_ATTACHMENT_UNREADABLE', 'data'])

    const body = new FormData()
    body.append('file', new Blob(['a']), 'a.txt')
    const headers = { authorization: `Bearer ${owner.token}` }
    const form = await fetch(`${baseUrl()}/api/v1/uploads`, { method: 'POST', headers, body })
    const [{ code, hint }] = ((await form.json()) as any).errors
    assert.deepEqual([form.status, code], [415, 'E_UPLOAD_FORM'])
    assert.match(hint, /"data": "<base64>".*application\/json/)
  })

  test('are read once, however often a message names them', async ({ assert }) => {
    gateway.script = (reply) => reply.begin().say('first').finish()
    const id = await upload(100)
    const attachments = [id, { id }, ...Array.from({ length: 8 }, () => id)]
    await (await ask({ attachments })).text()
    assert.equal(unsealed, 1)
    const { content } = gateway.requests[0].body.messages[0]
    assert.lengthOf(content.split('<attachment '), 2)
  })

  test('are too large together before one is unsealed', async ({ assert }) => {
    const attachments = [await upload(), await upload(), await upload()]
    const refused = await ask({ attachments })
    assert.equal(refused.status, 413)
    assert.equal(((await refused.json()) as any).errors[0].code, 'E_ATTACHMENTS_TOO_LARGE')
    assert.equal(unsealed, 0)
  })

  test('reach no agent if their page has left while they were read', async ({ assert }) => {
    const response = new ServerResponse(new IncomingMessage(new Socket()))
    response.destroy()
    const page = await app.container.make(PageChat)
    await page.answer({
      ...{ agent: `user/${owner.user.id}`, conversationId: null, message: 'Read' },
      ...{ background: true, headers: {}, response },
    })
    assert.lengthOf(gateway.requests, 0)
  })

  test('are in memory once: as the message for the agent', async ({ assert }) => {
    const data = Buffer.from('a')
    const attachments: Attachment[] = [{ name: 'a.txt', type: 'text/plain', kind: 'text', data }]
    let kept = attachments.length
    gateway.script = (reply) => {
      kept = attachments.length
      reply.begin().say('first').finish()
    }
    const page = await app.container.make(PageChat)
    await page.answer({
      ...{ agent: `user/${owner.user.id}`, conversationId: null, message: 'Read' },
      ...{ attachments, headers: {} },
      response: new ServerResponse(new IncomingMessage(new Socket())),
    })
    assert.include(gateway.requests[0].body.messages[0].content, 'a.txt')
    assert.equal(kept, 0)
  })
})
