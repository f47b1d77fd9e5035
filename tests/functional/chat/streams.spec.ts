import { once } from 'node:events'
import { createServer, request as httpRequest, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test } from '@japa/runner'
import testUtils from '@adonisjs/core/services/test_utils'
import { allowLoopback } from '#tests/allow_loopback'
import { baseUrl, scriptedSurface, userWithToken } from '#tests/doubles/chat_surface'
import { TextStream } from '#tests/doubles/text_stream'
import { providerOf } from '#tests/functional/openclaw/agent'

/** More than all buffers between a service and a client that reads nothing. */
const ENOUGH_BYTES = 60 * 1024 * 1024
const PIECE = 'x'.repeat(64 * 1024)
/** How long a writer waits until it takes the other side for full. */
const FULL_MS = 500

const TARGETS = { agent: 'openclaw', model: 'work/gpt-5.4' }

/** Encodes a piece of text, and the end, as either API does. */
const APIS = {
  '/v1/chat/completions': {
    request: { messages: [{ role: 'user', content: 'Hello' }] },
    piece: (text: string) => event({ choices: [{ index: 0, delta: { content: text } }] }),
    end: 'data: [DONE]\n\n',
    failure: (events: any[]) => events.at(-1).error,
  },
  '/v1/responses': {
    request: { input: 'Hello' },
    piece: (text: string) => {
      const type = 'response.output_text.delta'
      return `event: ${type}\n${event({ type, delta: text })}`
    },
    end: 'event: response.completed\ndata: {"type":"response.completed"}\n\ndata: [DONE]\n\n',
    failure: (events: any[]) => events.at(-1).response.error,
  },
}

const event = (data: object) => `data: ${JSON.stringify(data)}\n\n`

/** The data of all events but the mark of the end. */
const eventsOf = (text: string) =>
  [...text.matchAll(/^data: (\{.*)$/gm)].map(([, data]) => JSON.parse(data))

test.group('A stream of an agent, or of a model itself', (group) => {
  let surface: ReturnType<typeof scriptedSurface>
  let server: Server
  let token: string
  let asked: number
  let reply: (response: ServerResponse) => void

  group.setup(() => testUtils.db().truncate())
  group.setup(allowLoopback)
  group.each.setup(async () => {
    asked = 0
    /** Both a gateway and a provider. */
    server = createServer((request, response) => {
      request.resume().once('end', () => {
        asked++
        response.writeHead(200, { 'content-type': 'text/event-stream' })
        reply(response)
      })
    }).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    surface = scriptedSurface({ models: { 'mosaic-work': ['gpt-5.4'] } })
    surface.waker.wake = async () => (surface.waker.remembered = { url, token: 'gateway' })
    await surface.waker.wake('user/any', {})
    const owner = await userWithToken()
    token = owner.token
    const provider = { name: 'work', type: 'custom', baseUrl: `${url}/v1` }
    await providerOf(owner.user.id, provider, 'sk-canary-1')
    return async () => {
      server.closeAllConnections()
      server.close()
      await surface.restore()
    }
  })

  const headers = () => ({ 'authorization': `Bearer ${token}`, 'content-type': 'application/json' })

  for (const [target, model] of Object.entries(TARGETS)) {
    for (const [path, { request, piece, end, failure }] of Object.entries(APIS)) {
      const title = (what: string) => `${what}: ${target}, ${path}`
      const body = JSON.stringify({ model, stream: true, ...request })
      const ask = (signal?: AbortSignal) =>
        fetch(baseUrl() + path, { method: 'POST', headers: headers(), body, signal })

      test(
        title('that dies ends with an error, and the next message is answered'),
        async ({ assert }) => {
          reply = (response) => {
            response.write(piece('Half an ans'))
            setTimeout(() => response.destroy(), 50)
          }
          const broken = await (await ask()).text()
          assert.include(broken, 'Half an ans')
          const code = target === 'agent' ? 'E_AGENT_GONE' : 'E_MODEL_BAD_RESPONSE'
          assert.equal(failure(eventsOf(broken)).code, code)
          assert.isTrue(broken.endsWith('data: [DONE]\n\n'))

          reply = (response) => response.end(piece('Whole.') + end)
          assert.include(await (await ask()).text(), 'Whole.')
          assert.lengthOf(surface.waker.woken, target === 'agent' ? 1 : 0)
          assert.equal(asked, 2)
        }
      )

      test(title('ends at its source when the client leaves'), async ({ assert }) => {
        const hungUp = Promise.withResolvers<void>()
        reply = (response) => {
          response.once('close', hungUp.resolve)
          response.write(piece('Once'))
        }
        const leaving = new AbortController()
        const stream = new TextStream(await ask(leaving.signal))
        await stream.until('Once')
        leaving.abort()
        await hungUp.promise
        assert.isEmpty(surface.reported)
      })

      test(title('waits for a client that reads slowly'), async ({ assert }) => {
        let written = 0
        const full = Promise.withResolvers<void>()
        reply = async (response) => {
          while (written < 2 * ENOUGH_BYTES) {
            written += PIECE.length
            if (response.write(piece(PIECE))) continue
            const drained = once(response, 'drain').then(() => true)
            const waited = new Promise((resolve) => setTimeout(resolve, FULL_MS, false))
            if (!(await Promise.race([drained, waited]))) break
          }
          full.resolve()
        }
        const client = httpRequest(baseUrl() + path, { method: 'POST', headers: headers() })
        client.on('error', () => {})
        client.end(body)
        const [response] = await once(client, 'response')
        response.pause()
        await full.promise
        client.destroy()
        assert.isBelow(written, ENOUGH_BYTES)
      })
    }
  }
})
