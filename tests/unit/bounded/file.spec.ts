import { execFileSync } from 'node:child_process'
import { tmpdir } from 'node:os'
import { mkdir, mkdtemp, open, rm, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from '@japa/runner'
import { readFileEnd, readFileStart, readSmallFile } from '#bounded/file'

const limits = { what: 'The record', maxBytes: 64 }

test.group('Bounded files', (group) => {
  let folder: string
  group.each.setup(async () => {
    folder = await mkdtemp(join(tmpdir(), 'mosaic-bounded-'))
    return () => rm(folder, { recursive: true })
  })

  test('are read whole, their start, or their end', async ({ assert }) => {
    const path = join(folder, 'small')
    await writeFile(path, 'short text')
    assert.equal(await readSmallFile(path, limits), 'short text')
    assert.equal((await readFileStart(path, 5)).toString(), 'short')
    assert.equal((await readFileStart(path, 100)).toString(), 'short text')
    assert.equal((await readFileEnd(path, 4)).toString(), 'text')
    assert.equal((await readFileEnd(path, 100)).toString(), 'short text')
  })

  test('are refused when they are too large, sparse ones too', async ({ assert }) => {
    const path = join(folder, 'sparse')
    await using file = await open(path, 'w')
    await file.truncate(1024 ** 4)
    await assert.rejects(() => readSmallFile(path, limits), /The record is larger than 64 bytes/)
    assert.equal((await readFileEnd(path, 64)).length, 64)
    assert.equal((await readFileStart(path, 64)).length, 64)
  })

  test('that are none are errors at once: a link, a folder, a pipe', async ({ assert }) => {
    await mkdir(join(folder, 'folder'))
    await writeFile(join(folder, 'target'), 'secret')
    await symlink('target', join(folder, 'link'))
    execFileSync('mkfifo', [join(folder, 'pipe')])
    for (const [name, code] of [
      ['link', 'ELOOP'],
      ['folder', 'EINVAL'],
      ['pipe', 'EINVAL'],
    ]) {
      for (const read of [
        () => readFileEnd(join(folder, name), 64),
        () => readFileStart(join(folder, name), 64),
        () => readSmallFile(join(folder, name), limits),
      ]) {
        const error = await read().catch((reason: unknown) => reason)
        assert.propertyVal(error, 'code', code)
      }
    }
  })
})
