import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from '@japa/runner'
import app from '@adonisjs/core/services/app'

test.group('Mosaic on a port that is taken', (group) => {
  let folder: string

  group.setup(() => {
    folder = mkdtempSync(join(tmpdir(), 'mosaic-ports-'))
    return () => rmSync(folder, { recursive: true, force: true })
  })

  /** Runs a Mosaic program with its own database, beside this run. */
  function run(program: string[], env: Record<string, string> = {}) {
    const { promise, resolve } = Promise.withResolvers<{ code: unknown; said: string }>()
    execFile(
      process.execPath,
      ['--import=@poppinss/ts-exec', ...program],
      {
        cwd: app.makePath(),
        env: {
          ...process.env,
          DATABASE_URL: `sqlite:${join(folder, 'mosaic.sqlite3')}`,
          STORAGE_PATH: folder,
          ...env,
        },
        timeout: 60_000,
      },
      (error, _stdout, stderr) => resolve({ code: error?.code ?? 0, said: stderr })
    )
    return promise
  }

  test('ends at once and says which port, and how to take another', async ({ assert }) => {
    const migrated = await run(['bin/console.ts', 'migration:run', '--force'])
    assert.equal(migrated.code, 0, migrated.said)

    /** This test run itself listens on both ports. */
    const { PORT, INTERNAL_PORT } = process.env as Record<string, string>
    const internal = await run(['bin/server.ts'], { PORT: '0' })
    assert.equal(internal.code, 1)
    assert.include(internal.said, `E_PORT_TAKEN: Port ${INTERNAL_PORT} is taken`)
    assert.include(internal.said, `INTERNAL_PORT=${Number(INTERNAL_PORT) + 10}`)

    const open = await run(['bin/server.ts'], { INTERNAL_PORT: '0' })
    assert.equal(open.code, 1)
    assert.include(open.said, `E_PORT_TAKEN: Port ${PORT} is taken`)
  }).timeout(180_000)
})
