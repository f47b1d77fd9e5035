import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { test } from '@japa/runner'
import app from '@adonisjs/core/services/app'
import { ModelService } from '#tests/e2e/model_service'
import { MosaicProcess } from '#tests/e2e/mosaic_process'
import { setUp } from '#tests/e2e/ready_mosaic'
import { Api, textOf } from '#tests/e2e/api'
import { PrivatePostgres } from '../runner/postgres.mjs'
import { postgresPrograms } from '../runner/system.mjs'

const KEY = 'sk-canary-7be0a1c4'
/** Two wakes of the real OpenClaw on a busy machine, and two installations. */
const TIMEOUT_MS = 300_000

/** Returns the commands of docs/backup.md with these beginnings, as an operator would copy them. */
function fromTheDocs(...beginnings: string[]): string[] {
  const text = readFileSync(app.makePath('docs/backup.md'), 'utf8')
  const code = [...text.matchAll(/```sh\n([^]*?)```|`([^`\n]+)`/g)]
  const lines = code.flatMap(([, block, inline]) => (block ?? inline).split('\n'))
  return beginnings.map((beginning) => {
    const line = lines.find((one) => one.startsWith(beginning))
    if (!line) throw new Error(`docs/backup.md has no command that begins with "${beginning}"`)
    return line
  })
}

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
        await each.end()
      }
      await service.stop()
      await postgres.stop()
    }
  })

  async function installation(databaseUrl: string, secretKey?: string) {
    const mosaic = new MosaicProcess()
    const key = secretKey ?? mosaic.secretKey
    await mosaic.prepare({ DATABASE_URL: databaseUrl, MOSAIC_SECRET_KEY: key })
    installations.push(mosaic)
    return mosaic
  }

  test('as the documentation tells it brings back people, keys and what agents remember', async ({
    assert,
  }) => {
    const before = await postgres.newDatabase('mosaic_before')
    const after = await postgres.newDatabase('mosaic_after')
    const path = `${await postgresPrograms()}:${process.env.PATH}`
    const run = (commands: string[], cwd: string, databaseUrl: string) =>
      execFileSync('sh', ['-ec', commands.join('\n')], {
        cwd,
        env: { PATH: path, DATABASE_URL: databaseUrl },
        stdio: ['ignore', 'pipe', 'pipe'],
      })

    const lost = await installation(before)
    const admin = await setUp(lost, {
      type: 'custom',
      baseUrl: service.url,
      apiKey: KEY,
      model: ModelService.MODEL,
    })
    const events = await admin.chat('My dog is called Biscuit')
    const { conversationId } = events.find(({ data }) => data.conversationId)!.data
    run(fromTheDocs('pg_dump', 'tar --numeric-owner -czf'), lost.folder, before)
    await lost.stop()
    await lost.ace('fleet:sleep', '--json')

    const found = await installation(after, lost.secretKey)
    execFileSync('cp', ['mosaic.dump', 'agents.tar.gz', found.folder], { cwd: lost.folder })
    run(fromTheDocs('pg_restore', 'tar --numeric-owner -xzf'), found.folder, after)
    const doctor = await found.ace('doctor', '--json')
    assert.equal(doctor.code, 0, doctor.out + doctor.err)
    await found.start()

    const known = service.calls.length
    const again = new Api(found.url, admin.token)
    const answer = textOf(await again.chat('What is it called?', conversationId))
    assert.match(answer, /^Answer \d+ begins here, and answer \d+ ends\.$/)
    assert.include(ModelService.told(service.calls[known]), 'My dog is called Biscuit')
    assert.equal(service.calls[known].authorization, `Bearer ${KEY}`)
  }).timeout(TIMEOUT_MS)
})
