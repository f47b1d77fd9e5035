import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { connect, type AddressInfo } from 'node:net'
import { test } from '@japa/runner'
import { RESPONSES } from '#chat/dialects'
import { OpenAiCompletion } from '#chat/openai_completion'
import { ChatRelay, type Waker } from '#chat/relay'
import { E_TOO_MUCH_AT_ONCE } from '#identity/errors'
import { LoopbackService } from '#tests/contracts/loopback_service'

const KB = 1024
const MB = KB * KB

/** A client's connection that has sent a request, and the response that Mosaic writes to it. */
async function exchange(cleanup: (end: () => void) => void) {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const client = connect((server.address() as AddressInfo).port, '127.0.0.1')
  client.on('error', () => {})
  client.write('POST / HTTP/1.1\r\nHost: mosaic\r\n\r\n')
  const [, response] = (await once(server, 'request')) as [IncomingMessage, ServerResponse]
  cleanup(() => (client.destroy(), void server.close()))
  return { client, response }
}

const flow = { pause() {}, resume() {} }

test.group('A whole answer that changes on its way', () => {
  test('counts as held; what may not be held ends the call and the agent’s answer', async ({
    assert,
    cleanup,
  }) => {
    const hungUp = Promise.withResolvers<void>()
    const gateway = await LoopbackService.start(() => (answer) => {
      answer.once('close', hungUp.resolve)
      answer.writeHead(200, { 'content-type': 'application/json' }).write(Buffer.alloc(64 * KB))
      answer.write(Buffer.alloc(64 * KB))
    })
    const access = { url: gateway.url, token: 't' }
    const waker = { peek: () => access, rollout: () => null } as unknown as Waker
    const relay = new ChatRelay(waker, { begin: () => () => {} })
    cleanup(async () => (await relay.destroy(), await gateway.close()))
    const { response } = await exchange(cleanup)
    const full = new E_TOO_MUCH_AT_ONCE()
    let held = 0
    const take = (bytes: number) => {
      if ((held += bytes) > 64 * KB) throw full
    }
    const answer = new OpenAiCompletion(response, { take, dialect: RESPONSES })
    const turn = {
      agent: 'user/u',
      sessionKey: null,
      model: null,
      headers: {},
      body: '{}',
    } as const
    const error = await relay.send({ ...turn }, answer, response).catch((thrown) => thrown)
    assert.equal(error, full)
    await hungUp.promise
    assert.isFalse(response.headersSent)
  })

  test('counts what it gains', async ({ assert, cleanup }) => {
    const { response } = await exchange(cleanup)
    let held = 0
    const take = (bytes: number) => void (held += bytes)
    const answer = new OpenAiCompletion(response, { take, dialect: RESPONSES })
    const output = [{ content: [{ type: 'output_text' }] }]
    const sent = Buffer.from(JSON.stringify({ output }))
    answer.begin(200, {}, flow)
    answer.receive(sent)
    assert.equal(held, sent.length)
    answer.end()
    assert.isAbove(held, sent.length)
    assert.equal(held, RESPONSES.completed!(sent).length)
  })

  test('is delivered once its client has read it, or left', async ({ assert, cleanup }) => {
    for (const leaves of [false, true]) {
      const { client, response } = await exchange(cleanup)
      client.pause()
      const answer = new OpenAiCompletion(response, {
        take() {},
        dialect: RESPONSES,
      })
      answer.begin(200, {}, flow)
      answer.receive(Buffer.alloc(15 * MB, ' '))
      answer.end()
      let isDelivered = false
      const delivered = answer.delivered().then(() => (isDelivered = true))
      for (let turn = 0; turn < 500; turn++) await new Promise(setImmediate)
      assert.isFalse(isDelivered)
      if (leaves) client.destroy()
      else client.resume()
      await delivered
    }
  })

  test('passes unchanged if it has masses of empty values', ({ assert }) => {
    const text = `{"output":[${'[],'.repeat(300_000)}{"content":[{"type":"output_text"}]}]}`
    assert.equal(RESPONSES.completed!(Buffer.from(text)).toString(), text)
  })
})
