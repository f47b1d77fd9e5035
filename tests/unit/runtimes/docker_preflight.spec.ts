import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from '@japa/runner'
import { Engine } from '#runtimes/engine/engine'
import { examine, type PreflightParts } from '#runtimes/drivers/docker/preflight'

const MB = 1024 * 1024

test.group('Docker driver | preflight of the disk', (group) => {
  let server: Server
  let host: string
  let asked: string[]

  group.each.setup(async () => {
    asked = []
    const folder = await mkdtemp(join(tmpdir(), 'mosaic-preflight-'))
    const socket = join(folder, 'docker.sock')
    server = createServer((_, response) => {
      response.end(JSON.stringify({ ApiVersion: '1.44', DockerRootDir: '/data/docker' }))
    }).listen(socket)
    await once(server, 'listening')
    host = `unix://${socket}`
    return async () => {
      server.close().closeAllConnections()
      await rm(folder, { recursive: true })
    }
  })

  /** Returns the findings of an engine that has so many bytes left. */
  const found = (bytes: number, parts: { isLocal?: boolean; isInContainer?: boolean } = {}) => {
    const engine = Engine.at(host)
    const { isLocal = true, isInContainer = false } = parts
    return examine({
      engine: { isLocal, call: engine.call.bind(engine) },
      images: { isPresent: async () => true, resolve: async () => 'id' },
      isolation: { examine: async () => [] },
      topology: { kind: isInContainer ? 'network per agent' : 'shared bridge' },
      image: 'image',
      settings: { pullPolicy: 'never' },
      processors: null,
      freeBytes: async (folder: string) => {
        asked.push(folder)
        return bytes
      },
    } as unknown as PreflightParts)
  }

  test('warns before it is full, and says when it is', async ({ assert }) => {
    assert.deepEqual(await found(2048 * MB), [])
    for (const [bytes, severity] of [
      [500 * MB, 'warning'],
      [10 * MB, 'error'],
    ] as const) {
      const [finding, ...others] = await found(bytes)
      assert.deepInclude(finding, { code: 'disk_nearly_full', severity })
      assert.include(finding.message, '/data/docker')
      assert.lengthOf(others, 0)
    }
    assert.deepEqual([...new Set(asked)], ['/data/docker'])
  })

  test('looks at its own root in a container of the engine, and nowhere from afar', async ({
    assert,
  }) => {
    assert.lengthOf(await found(10 * MB, { isLocal: false, isInContainer: true }), 1)
    assert.deepEqual(asked, ['/'])
    assert.deepEqual(await found(10 * MB, { isLocal: false }), [])
  })
})
