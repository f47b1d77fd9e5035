import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer, type Server, type ServerResponse } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from '@japa/runner'
import { EventFeed } from '#runtimes/event_feed'
import { Engine } from '#runtimes/engine/engine'
import { LABEL } from '#runtimes/engine/labels'
import { Watcher } from '#runtimes/drivers/docker/watcher'

test.group('Docker driver | watcher', (group) => {
  let names: string[]
  let streams: ServerResponse[]
  /** Whether the engine answers requests for events. */
  let hasEvents: boolean
  let server: Server
  let watcher: Watcher
  let feed: EventFeed

  group.each.setup(async () => {
    ;[names, streams, hasEvents] = [[], [], true]
    const folder = await mkdtemp(join(tmpdir(), 'mosaic-watcher-'))
    const socket = join(folder, 'docker.sock')
    server = createServer(({ url }, response) => {
      if (!url!.startsWith('/events')) {
        const containerOf = (name: string) => ({
          ...{ Id: `id of ${name}`, State: 'running' },
          Labels: { [LABEL.name]: name },
        })
        return response.end(JSON.stringify(names.map(containerOf)))
      }
      streams.push(response)
      if (hasEvents) response.writeHead(200).flushHeaders()
    }).listen(socket)
    await once(server, 'listening')
    feed = new EventFeed()
    watcher = new Watcher(Engine.at(`unix://${socket}`), 'here', feed, async () => {})
    return async () => {
      watcher.stop()
      server.close().closeAllConnections()
      await rm(folder, { recursive: true })
    }
  })

  test('tells that its stream broke, and has nothing start before it knows what ended', async ({
    assert,
  }) => {
    const events = feed.listen(new AbortController().signal)[Symbol.asyncIterator]()
    const next = async () => {
      const { type, name } = (await events.next()).value
      return `${type} ${name}`.trim()
    }
    names = ['a', 'b']
    watcher.start()
    await watcher.settled()

    hasEvents = false
    streams[0].destroy()
    assert.equal(await next(), 'interrupted')

    names = ['b']
    await watcher.settled()
    const told = Promise.all([next(), next()])
    feed.emit({ type: 'started', name: 'c', at: new Date() })
    assert.deepEqual(await told, ['exited a', 'removed a'])
  })

  test('lets a start fail where the engine is away', async ({ assert }) => {
    watcher.start()
    await watcher.settled()
    server.close().closeAllConnections()
    const events = feed.listen(new AbortController().signal)[Symbol.asyncIterator]()
    await events.next()
    await assert.rejects(() => watcher.settled(), /No Docker engine answers/)
  })
})
