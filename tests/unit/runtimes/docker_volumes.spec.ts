import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { test } from '@japa/runner'
import { Engine } from '#runtimes/engine/engine'
import { Volumes } from '#runtimes/drivers/docker/volumes'

/** An engine with volumes, and containers that use them. */
class VolumeEngine {
  readonly volumes = new Map<string, unknown>()
  /** The volume that a container has mounted, by id. */
  readonly containers = new Map<string, string>()
  /** Statuses of the next answers to a put archive, 200 by default. */
  readonly puts: number[] = []
  /** Whether the engine answers an upload after its first chunk, and reads no more of it. */
  isDoneEarly = false
  archives = 0
  #server: Server | null = null

  async start(socket: string): Promise<void> {
    this.#server = createServer(async (request, response) => {
      if (this.isDoneEarly && request.method === 'PUT') {
        await once(request, 'data')
        request.pause()
        return response.writeHead(200).end('{}')
      }
      const text = Buffer.concat(await Array.fromAsync(request)).toString()
      const path = new URL(request.url!, 'http://engine').pathname
      const [status, body] = this.#answer(`${request.method} ${path}`, text)
      response.writeHead(status).end(JSON.stringify(body))
    }).listen(socket)
    await once(this.#server, 'listening')
  }

  stop(): void {
    this.#server?.close().closeAllConnections()
  }

  #answer(call: string, text: string): [number, unknown] {
    const [, kind, name = ''] = /^\w+ \/(\w+)\/([^/]*)/.exec(call)!
    if (call === 'POST /volumes/create') {
      const { Name, Labels } = JSON.parse(text)
      this.volumes.set(Name, { Name, Labels, Mountpoint: '' })
      return [201, this.volumes.get(Name)]
    }
    if (call === 'POST /containers/create') {
      const Id = `container-${this.containers.size}`
      this.containers.set(Id, JSON.parse(text).HostConfig.Mounts[0].Source)
      return [201, { Id }]
    }
    if (call === 'GET /containers/json') {
      return [200, [...this.containers.keys()].map((Id) => ({ Id }))]
    }
    if (call.startsWith('PUT')) {
      this.archives++
      return [this.puts.shift() ?? 200, { message: 'told so' }]
    }
    if (call.startsWith('DELETE') && kind === 'volumes') {
      if ([...this.containers.values()].includes(name)) return [409, { message: 'in use' }]
      this.volumes.delete(name)
      return [204, {}]
    }
    if (call.startsWith('DELETE')) {
      this.containers.delete(name)
      return [204, {}]
    }
    const found = this.volumes.get(name)
    return found ? [200, found] : [404, { message: 'no such volume' }]
  }
}

test.group('Docker driver | volumes', (group) => {
  let engine: VolumeEngine
  let volumes: Volumes

  group.each.setup(async () => {
    const folder = await mkdtemp(join(tmpdir(), 'mosaic-volumes-'))
    engine = new VolumeEngine()
    await engine.start(join(folder, 'docker.sock'))
    volumes = new Volumes(Engine.at(`unix://${folder}/docker.sock`), 'here')
    return async () => {
      engine.stop()
      await rm(folder, { recursive: true })
    }
  })

  test('belong to the agent, even if the first attempt failed in the middle', async ({
    assert,
  }) => {
    engine.puts.push(500)
    await assert.rejects(() => volumes.ensureState('a', 'image'))
    assert.isTrue(await volumes.ensureState('a', 'image'))
    assert.equal(engine.archives, 2)
    assert.isFalse(await volumes.ensureState('a', 'image'))
  })

  test('are deleted with what a killed Mosaic left in them', async ({ assert }) => {
    await volumes.ensureState('a', 'image')
    engine.containers.set('left', 'a-state')
    await volumes.deleteState('a')
    assert.deepEqual([...engine.volumes.keys()], [])
    assert.deepEqual([...engine.containers.keys()], [])
  })

  test('count as whole only once they are filled', async ({ assert }) => {
    const seen: boolean[] = []
    await volumes.refillState('a', 'image', async () => {
      seen.push(await volumes.hasState('a'))
    })
    seen.push(await volumes.hasState('a'))
    assert.deepEqual(seen, [false, true])

    const failing = volumes.refillState('a', 'image', async () => {
      throw new Error('killed')
    })
    await assert.rejects(() => failing, 'killed')
    assert.deepEqual([...engine.volumes.keys()], [])
  })

  test('are filled once the engine says so, though it left the end of the archive unread', async () => {
    engine.isDoneEarly = true
    const data = Readable.from(Array.from({ length: 64 }, () => Buffer.alloc(1024 * 1024)))
    await volumes.unpack('a', 'image', data, AbortSignal.timeout(5000))
  })

  test('are not filled by data that broke off', async ({ assert }) => {
    const data = Readable.from(
      (async function* () {
        yield Buffer.alloc(1024)
        throw new Error('broke off')
      })()
    )
    const filling = volumes.unpack('a', 'image', data, AbortSignal.timeout(5000))
    await assert.rejects(() => filling, /broke off/)
  })
})
