import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from '@japa/runner'
import { Secret } from '@adonisjs/core/helpers'
import { canSandbox, prepare } from './trial.ts'

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
}
