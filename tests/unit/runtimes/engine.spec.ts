import { once } from 'node:events'
import { mkdtemp, rm, utimes, writeFile } from 'node:fs/promises'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from '@japa/runner'
import { certificatesStamp, Engine } from '#runtimes/engine/engine'

type Answer = (request: IncomingMessage, response: ServerResponse) => void

test.group('Engine', (group) => {
  let folder: string
  let closing: (() => void)[] = []

  group.each.setup(async () => {
    folder = await mkdtemp(join(tmpdir(), 'mosaic-engine-'))
    return async () => {
      for (const close of closing) close()
      closing = []
      await rm(folder, { recursive: true })
    }
  })

  async function serve(answer: Answer) {
    const socket = join(folder, 'docker.sock')
    const server = createServer(answer).listen(socket)
    await once(server, 'listening')
    closing.push(() => server.close().closeAllConnections())
    return { engine: Engine.at(`unix://${socket}`), server }
  }

  test('keeps no request to an engine that does not answer', async ({ assert }) => {
    const open = new Set<IncomingMessage>()
    const ended = Promise.withResolvers<void>()
    const { engine } = await serve((request) => {
      open.add(request)
      request.socket.once('close', () => {
        open.delete(request)
        if (open.size === 0) ended.resolve()
      })
    })
    const calls = [
      engine.call((docker) => docker.info(), 100),
      engine.call((docker) => docker.version(), 100),
      engine.call((docker) => docker.getImage('some').inspect(), 100),
      engine.call((docker) => docker.getNetwork('some').inspect(), 100),
      engine.call((docker) => docker.getEvents({}), 100),
    ]
    for (const { status } of await Promise.allSettled(calls)) assert.equal(status, 'rejected')
    await ended.promise
    assert.equal(open.size, 0)
  }).timeout(20_000)

  test('lets a stream go on after the deadline of its call', async ({ assert }) => {
    const asked = Promise.withResolvers<ServerResponse>()
    const { engine } = await serve((_, response) => {
      response.writeHead(200).write('one')
      asked.resolve(response)
    })
    const stream = await engine.call((docker) => docker.getEvents({}), 2000)
    const response = await asked.promise
    setTimeout(() => response.end(' two'), 2300)
    let text = ''
    for await (const chunk of stream) text += chunk
    assert.equal(text, 'one two')
  })

  for (const status of [502, 503, 504]) {
    test(`is away where a proxy answers ${status} for it`, async ({ assert }) => {
      const { engine } = await serve((_, response) => {
        response.writeHead(status).end('{"message":"socket proxy: The engine cannot be reached"}')
      })
      const error: any = await engine.call((docker) => docker.info()).catch((thrown) => thrown)
      assert.equal(error.reason, 'engine_unreachable')
      assert.match(error.message, /socket proxy: The engine cannot be reached$/)
      assert.isNotEmpty(error.help)
    })
  }

  test('is told by its id and its folder, and not at all by an id that changes', async ({
    assert,
  }) => {
    let info: object = { ID: 'one', DockerRootDir: '/var/lib/docker' }
    const { engine } = await serve((_, response) => response.end(JSON.stringify(info)))
    assert.equal(await engine.identity(), 'one /var/lib/docker')
    info = { ...info, DockerRootDir: '/data' }
    assert.equal(await engine.identity(), 'one /data')
    info = { ...info, BuildahVersion: '1.28' }
    assert.isNull(await engine.identity())
  })

  test('is opened anew with renewed certificates', async ({ assert }) => {
    const config = { certificates: folder, environment: {} }
    const files = ['ca.pem', 'cert.pem', 'key.pem'].map((file) => join(folder, file))
    const stamps = [certificatesStamp(config)]
    for (const file of files) {
      await writeFile(file, 'one')
      stamps.push(certificatesStamp(config))
    }
    await utimes(files[1], new Date(0), new Date(0))
    stamps.push(certificatesStamp(config))
    assert.lengthOf(new Set(stamps), stamps.length)
    assert.equal(certificatesStamp(config), stamps.at(-1))
    assert.equal(certificatesStamp({ environment: {} }), '')
  })
})
