import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { test } from '@japa/runner'
import { Secret } from '@adonisjs/core/helpers'
import { unpack } from '../src/archive.ts'
import { canSandbox, prepare } from './trial.ts'

/** Pipes to other processes that are still open. */
const pipes = () => process.getActiveResourcesInfo().filter((name) => name === 'PipeWrap').length

if (canSandbox()) {
  test('shows an agent the folders of the option, and neither other agents, nor its own record, nor the rest of the machine', async ({
    assert,
    cleanup,
  }) => {
    const shared = await mkdtemp(join(tmpdir(), 'mosaic-shared-'))
    const trial = await prepare({ readable: `relative:${shared}` })
    cleanup(async () => {
      await trial.close()
      await rm(shared, { recursive: true })
    })
    const driver = await trial.open('here')
    const { storage } = trial.launch
    const hidden = [storage, '/root', '/home', '/etc/shadow', '/agent/../record.json', '/var']
    trial.documents.serve('user/1', { fake: { read: [...hidden, shared, '/agent'] } })
    const name = 'mosaic-user-1'
    await driver.ensure(
      {
        name,
        agent: 'user/1',
        installation: 'here',
        generation: 1,
        hash: '1',
        apiUrl: trial.apiUrl,
        token: new Secret('token'),
        image: null,
        limits: { memoryMb: 512, cpus: 1, processes: 64 },
      },
      { signal: AbortSignal.timeout(20_000) }
    )
    const read = () => Array.fromAsync(driver.logs({ name, state: null }, { tail: 100 }))
    const deadline = performance.now() + 20_000
    while (!(await read()).some((line) => line.startsWith('read /agent:'))) {
      if (performance.now() > deadline) throw new Error((await read()).join('\n'))
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
    const log = await read()
    for (const path of hidden) assert.include(log, `read ${path}: ENOENT`)
    assert.include(log, `read ${shared}: 0 entries`)
    assert.include(log, 'read /agent: 3 entries')
  })

  test('leaves nothing behind of a move that ends while its sandbox is made', async ({
    assert,
    cleanup,
  }) => {
    const folder = await mkdtemp(join(tmpdir(), 'mosaic-moved-'))
    cleanup(() => rm(folder, { recursive: true }))
    const before = pipes()
    for (let ms = 0; ms < 30; ms++) {
      const data = new Readable({ read() {} })
      const leaving = AbortSignal.timeout(ms)
      leaving.addEventListener('abort', () => data.destroy())
      await assert.rejects(() => unpack(folder, data, leaving))
    }
    const deadline = performance.now() + 5000
    while (pipes() > before && performance.now() < deadline) {
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
    assert.isAtMost(pipes(), before)
  })
}
