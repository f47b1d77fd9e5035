import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from '@japa/runner'
import { LogFile } from '#runtimes/drivers/process/log_file'

test.group('The log of an agent', (group) => {
  let path: string

  group.each.setup(() => {
    const folder = mkdtempSync(join(tmpdir(), 'mosaic-log-'))
    path = join(folder, 'agent.log')
    writeFileSync(path, 'first line\nsecond line\n')
    return () => rmSync(folder, { recursive: true })
  })

  test('is emptied once it is full, and its end is kept', async ({ assert }) => {
    await new LogFile(path, 100).bound()
    assert.equal(statSync(path).size, 23)
    await new LogFile(path, 15).bound()
    assert.equal(statSync(path).size, 0)
    assert.equal(readFileSync(`${path}.1`, 'utf8'), 'second line\n')
  })

  test('is emptied though its end cannot be kept, as on a full disk', async ({ assert }) => {
    mkdirSync(`${path}.1`)
    await assert.rejects(() => new LogFile(path, 15).bound(), /EISDIR/)
    assert.equal(statSync(path).size, 0)
  })
})
