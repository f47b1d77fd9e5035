/** Gateways of all agents in one process: each address of 127.0.0.0/8 is one. Idle, with no job planned. */
import { createServer, type ServerResponse } from 'node:http'
import { json as read } from 'node:stream/consumers'
import type { AddressInfo } from 'node:net'
import { MemoryControl } from '#tests/doubles/memory_runtime/control'

const CHUNK = { id: 'chatcmpl_1', object: 'chat.completion.chunk', created: 1, model: 'openclaw' }
const event = (delta: object, finishReason: string | null = null) =>
  `data: ${JSON.stringify({ ...CHUNK, choices: [{ index: 0, delta, finish_reason: finishReason }] })}\n\n`
const ANSWER = [
  event({ role: 'assistant' }),
  event({ content: 'A few words.' }),
  event({}, 'stop'),
  'data: [DONE]\n\n',
].join('')

const server = createServer(async (request, response) => {
  if (request.method !== 'POST') return tell(response, 200, { ok: true, status: 'live' })
  const body = (await read(request)) as { method?: string }
  if (request.url === '/api/v1/admin/rpc') {
    const answer = new MemoryControl({}, () => 0).answer(body)
    return tell(response, answer.status, answer.body)
  }
  response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8' }).end(ANSWER)
})

function tell(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
}

server.listen(0, '0.0.0.0', () => {
  process.send!({ ready: { port: (server.address() as AddressInfo).port } })
})
process.on('disconnect', () => process.exit())
