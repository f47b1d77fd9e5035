import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from '@japa/runner'
import { writeWhole } from '#runtimes/drivers/process/records'

test.group('Files of the process driver', (group) => {
  let folder: string

  group.each.setup(() => {
    folder = mkdtempSync(join(tmpdir(), 'mosaic-records-'))
    return () => rmSync(folder, { recursive: true })
  })

  test('are replaced whole, with the rights that they are to have', async ({ assert }) => {
    const path = join(folder, 'file')
    await writeWhole(path, 'old')
    assert.equal(statSync(path).mode & 0o777, 0o600)
    await writeWhole(path, 'new', { mode: 0o400, user: null })
    assert.equal(statSync(path).mode & 0o777, 0o400)
    assert.equal(readFileSync(path, 'utf8'), 'new')
    assert.deepEqual(readdirSync(folder), ['file'])
  })

  test('leave nothing beside them where the write fails', async ({ assert }) => {
    mkdirSync(join(folder, 'taken'))
    await assert.rejects(() => writeWhole(join(folder, 'taken'), 'text'), /EISDIR/)
    assert.deepEqual(readdirSync(folder), ['taken'])
  })
})
