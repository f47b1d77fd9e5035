import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { chmodSync, cpSync, mkdirSync, realpathSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { test } from '@japa/runner'
import { ModelService } from '#tests/e2e/model_service'
import { MosaicProcess } from '#tests/e2e/mosaic_process'
import { setUp } from '#tests/e2e/ready_mosaic'
import { Api, textOf } from '#tests/e2e/api'
import { backupLines } from '#tests/e2e/backup_chapter'
import { PrivatePostgres } from '../runner/postgres.mjs'
import { postgresPrograms } from '../runner/system.mjs'

const KEY = 'sk-canary-7be0a1c4'
/** Two wakes of the real OpenClaw on a busy machine, and two installations. */
const TIMEOUT_MS = 300_000

test.group('Backup and restore', (group) => {
  const postgres = new PrivatePostgres()
  const service = new ModelService(KEY)
  const installations: MosaicProcess[] = []

  group.setup(async () => {
    await postgres.start()
    await service.start()
    return async () => {
      for (const each of installations) {
        await each.stop()
        await each.ace('fleet:sleep', '--json')
        const folder = systemFolder(each)
        await each.end()
        rmSync(folder, { recursive: true, force: true })
      }
      await service.stop()
      await postgres.stop()
    }
  })

  async function installation(databaseUrl: (mosaic: MosaicProcess) => string, secretKey?: string) {
    const mosaic = new MosaicProcess()
    const key = secretKey ?? mosaic.secretKey
    await mosaic.prepare({ DATABASE_URL: databaseUrl(mosaic), MOSAIC_SECRET_KEY: key })
    mkdirSync(join(mosaic.folder, 'plugins'))
    installations.push(mosaic)
    return mosaic
  }

  /** Follows lines of the chapter in the folder of an installation, as its operator would. */
  async function follow(lines: string[], mosaic: MosaicProcess, env: Record<string, string> = {}) {
    const path = `${await postgresPrograms()}:${process.env.PATH}`
    const { folder: cwd } = mosaic
    for (const line of lines) {
      const [, words] = /^node ace (.+)$/.exec(line) ?? []
      if (words) {
        const args = words.split(' ').map((word) => word.replace(/^backup\//, `${cwd}/backup/`))
        const { code, out, err } = await mosaic.ace(...args)
        if (code !== 0) throw new Error(`${line} ended with ${code}:\n${out}${err}`)
        continue
      }
      const stdio: ['ignore', 'pipe', 'pipe'] = ['ignore', 'pipe', 'pipe']
      execFileSync('sh', ['-ec', line], { cwd, env: { PATH: path, ...env }, stdio })
    }
  }

  const setUpAgain = (mosaic: MosaicProcess) =>
    setUp(mosaic, {
      type: 'custom',
      baseUrl: service.url,
      apiKey: KEY,
      model: ModelService.MODEL,
    })

  /** Takes the backup to another installation. */
  function carry(from: MosaicProcess, to: MosaicProcess) {
    cpSync(join(from.folder, 'backup'), join(to.folder, 'backup'), { recursive: true })
  }

  test('as the documentation tells it brings back people, keys and what agents remember', async ({
    assert,
  }) => {
    const before = await postgres.newDatabase('mosaic_before')
    const after = before.replace('mosaic_before', 'mosaic_after')
    const lost = await installation(() => before)
    // Agents cannot pass it, so the runtime keeps them elsewhere.
    chmodSync(lost.folder, 0o700)
    const admin = await setUpAgain(lost)
    const events = await admin.chat('My dog is called Biscuit')
    const { conversationId } = events.find(({ data }) => data.conversationId)!.data
    await follow(backupLines('Back up a machine'), lost, ofLibpq(before))
    await lost.stop()

    const found = await installation(() => after, lost.secretKey)
    chmodSync(found.folder, 0o700)
    carry(lost, found)
    await follow(backupLines('Restore a machine'), found, ofLibpq(after))
    await found.start()

    const known = service.calls.length
    const again = new Api(found.url, admin.token)
    const answer = textOf(await again.chat('What is it called?', conversationId))
    assert.match(answer, /^Answer \d+ begins here, and answer \d+ ends\.$/)
    assert.include(ModelService.told(service.calls[known]), 'My dog is called Biscuit')
    assert.equal(service.calls[known].authorization, `Bearer ${KEY}`)
  }).timeout(TIMEOUT_MS)

  test('brings back the database of SQLite', async ({ assert }) => {
    const inStorage = ({ storage }: MosaicProcess) => `sqlite:${join(storage, 'mosaic.sqlite3')}`
    const lost = await installation(inStorage)
    const admin = await setUpAgain(lost)
    mkdirSync(join(lost.folder, 'backup'))
    await follow(backupLines('Back up a machine', 1), lost)
    await lost.stop()

    const found = await installation(inStorage, lost.secretKey)
    carry(lost, found)
    await follow(backupLines('Restore a machine', 1), found)
    await follow(['node ace doctor'], found)
    await found.start()
    const [{ name }] = await new Api(found.url, admin.token).ask<{ name: string }[]>(
      'GET',
      '/api/v1/providers'
    )
    assert.equal(name, 'work')
  }).timeout(TIMEOUT_MS)
})

/** The variables of PostgreSQL's own programs. */
function ofLibpq(databaseUrl: string): Record<string, string> {
  const { hostname, port, username, password, pathname } = new URL(databaseUrl)
  return {
    PGHOST: hostname,
    PGPORT: port,
    PGUSER: username,
    PGPASSWORD: decodeURIComponent(password),
    PGDATABASE: pathname.slice(1),
  }
}

/** Where agents of root are if others cannot reach the storage: see `install_paths`. */
function systemFolder({ storage }: MosaicProcess): string {
  const key = createHash('sha256').update(realpathSync(storage)).digest('hex').slice(0, 12)
  return join('/var/lib/mosaic', key)
}
