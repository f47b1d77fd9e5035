import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test } from '@japa/runner'
import { MosaicProcess } from '#tests/e2e/mosaic_process'
import { SmallDisk } from '#tests/e2e/small_disk'
import { PrivatePostgres } from '../runner/postgres.mjs'

test.group('The first boot', (group) => {
  let elsewhere: string
  let mosaic: MosaicProcess

  group.each.setup(() => {
    elsewhere = mkdtempSync(join(tmpdir(), 'mosaic-elsewhere-'))
    mosaic = new MosaicProcess(elsewhere)
    return async () => {
      await mosaic.end()
      rmSync(elsewhere, { recursive: true, force: true })
    }
  })
  group.each.timeout(180_000)

  test('makes its tables and serves its pages, from whatever folder it is started', async ({
    assert,
  }) => {
    await mosaic.prepare()
    await mosaic.start()
    const page = await fetch(mosaic.setupLink)
    assert.equal(page.status, 200)
    const [script] = /\/assets\/[\w-]+\.js/.exec(await page.text())!
    assert.equal((await fetch(mosaic.url + script)).status, 200)
    const nothing = await fetch(`${mosaic.url}/nothing-here`)
    assert.equal(nothing.status, 404)
    assert.include(await nothing.text(), script, 'a page of its own, not a bare text')
  })

  test('leaves a database alone that holds anything else', async ({ assert }) => {
    const others = new DatabaseSync(mosaic.databaseFile)
    others.exec('create table recipes (name text)')
    others.close()
    await mosaic.prepare()
    const { code, err } = await mosaic.startInVain()
    assert.equal(code, 1)
    assert.match(err, /^E_DATABASE_NOT_MIGRATED: /)

    const left = new DatabaseSync(mosaic.databaseFile, { readOnly: true })
    const rows = left.prepare("select name from sqlite_master where type = 'table'").all()
    left.close()
    const names = rows.map(({ name }) => name)
    assert.include(names, 'recipes')
    assert.notInclude(names, 'users')
  })

  if (SmallDisk.isPossible) {
    test('names a disk that fills up while it makes its tables', async ({ assert, cleanup }) => {
      const disk = new SmallDisk(elsewhere, 300)
      cleanup(() => disk.remove())
      await mosaic.prepare({ DATABASE_URL: `sqlite:${join(elsewhere, 'mosaic.sqlite3')}` })
      const { code, err } = await mosaic.startInVain()
      assert.equal(code, 1)
      assert.match(err, /^E_DISK_FULL: /)
    })
  }

  test('ends at once when it is told to before it serves', async ({ assert }) => {
    /** A database that accepts connections but never responds: the boot waits for it. */
    const mute = createServer().listen(0, '127.0.0.1')
    await once(mute, 'listening')
    const { port } = mute.address() as AddressInfo
    await mosaic.prepare({ DATABASE_URL: `postgres://u:p@127.0.0.1:${port}/none` })
    const asked = once(mute, 'connection')
    const starting = mosaic.startInVain()
    const [socket] = await asked
    mosaic.signal('SIGTERM')
    const { code, err } = await starting
    socket.destroy()
    mute.close()
    assert.equal(code, 143)
    assert.equal(err, '')
  })
})

test.group('The first boot of several replicas', (group) => {
  const postgres = new PrivatePostgres()
  const copies = [new MosaicProcess(), new MosaicProcess(), new MosaicProcess()]

  group.setup(async () => {
    await postgres.start()
    return async () => {
      await Promise.all(copies.map((copy) => copy.end()))
      await postgres.stop()
    }
  })

  test('over one empty database makes its tables once, and all of them serve', async ({
    assert,
  }) => {
    const DATABASE_URL = await postgres.newDatabase('first_boot')
    const MOSAIC_SECRET_KEY = copies[0].secretKey
    for (const copy of copies) await copy.prepare({ DATABASE_URL, MOSAIC_SECRET_KEY })
    await Promise.all(copies.map((copy) => copy.start()))
    const { code, out } = await copies[0].ace('migration:run', '--force')
    assert.equal(code, 0)
    assert.include(out, 'Already up to date', 'and the lock was given back')
    for (const copy of copies) assert.equal((await fetch(`${copy.url}/login`)).status, 200)
  }).timeout(180_000)
})
