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
/** The first command for PostgreSQL alone, in the place of which another block has SQLite's. */
const OF_POSTGRES = /^(pg_dump|createdb|pg_restore) /

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

  /** Has an agent learn something, and returns what asks another installation for it. */
  async function learn(lost: MosaicProcess) {
    const admin = await setUp(lost, {
      type: 'custom',
      baseUrl: service.url,
      apiKey: KEY,
      model: ModelService.MODEL,
    })
    const events = await admin.chat('My dog is called Biscuit')
    const { conversationId } = events.find(({ data }) => data.conversationId)!.data
    return async (found: MosaicProcess) => {
      const known = service.calls.length
      const answer = textOf(
        await new Api(found.url, admin.token).chat('What is it called?', conversationId)
      )
      return { answer, call: service.calls[known] }
    }
  }

  const ANSWER = /^Answer \d+ begins here, and answer \d+ ends\.$/

  test('as the documentation tells it brings back people, keys and what agents remember', async ({
    assert,
  }) => {
    const before = await postgres.newDatabase('mosaic_before')
    const after = before.replace('mosaic_before', 'mosaic_after')
    const lost = await installation(() => before)
    const ask = await learn(lost)
    await follow(backupLines('Back up a machine'), lost, ofLibpq(before))
    await lost.stop()

    const found = await installation(() => after, lost.secretKey)
    cpSync(join(lost.folder, 'backup'), join(found.folder, 'backup'), { recursive: true })
    await follow(backupLines('Restore a machine'), found, ofLibpq(after))
    await found.start()
    const { answer, call } = await ask(found)
    assert.match(answer, ANSWER)
    assert.include(ModelService.told(call), 'My dog is called Biscuit')
    assert.equal(call.authorization, `Bearer ${KEY}`)
  }).timeout(TIMEOUT_MS)

  test('does so with SQLite, in a folder that agents cannot reach', async ({ assert }) => {
    const inStorage = ({ storage }: MosaicProcess) => `sqlite:${join(storage, 'mosaic.sqlite3')}`
    const ofSqlite = (heading: string) => [
      ...backupLines(heading, 1),
      ...backupLines(heading).filter((line) => !OF_POSTGRES.test(line)),
    ]
    const lost = await installation(inStorage)
    chmodSync(lost.folder, 0o700)
    const ask = await learn(lost)
    mkdirSync(join(lost.folder, 'backup'))
    const made = ofSqlite('Back up a machine').filter((line) => line !== 'mkdir backup')
    await follow(made, lost)
    await lost.stop()

    const found = await installation(inStorage, lost.secretKey)
    chmodSync(found.folder, 0o700)
    cpSync(join(lost.folder, 'backup'), join(found.folder, 'backup'), { recursive: true })
    await follow(ofSqlite('Restore a machine'), found)
    await found.start()
    const { answer, call } = await ask(found)
    assert.match(answer, ANSWER)
    assert.include(ModelService.told(call), 'My dog is called Biscuit')
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
