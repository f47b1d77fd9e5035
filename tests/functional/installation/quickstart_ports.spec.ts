import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from '@japa/runner'
import app from '@adonisjs/core/services/app'
import { freePort } from '#tests/free_port'
import { checkFree } from '../../../bin/setup/ports.mjs'

test.group('The ports of the quickstart', () => {
  test('a running Mosaic is known by either of its ports', async ({ assert }) => {
    const { HOST, PORT, INTERNAL_PORT } = process.env as Record<string, string>
    for (const port of [PORT, INTERNAL_PORT]) {
      const checked = checkFree({ host: HOST, port: Number(port), variable: 'PORT' })
      await assert.rejects(() => checked, `Mosaic is running: it has port ${port} on ${HOST}.`)
    }
  })

  test('one that is taken ends it before it touches the packages', async ({ assert, cleanup }) => {
    const other = createServer((socket) => socket.end('SSH-2.0\r\n')).listen(0, '127.0.0.1')
    await once(other, 'listening')
    const clone = mkdtempSync(join(tmpdir(), 'mosaic-ports-'))
    cleanup(() => {
      other.close()
      rmSync(clone, { recursive: true })
    })
    cpSync(app.makePath('bin'), join(clone, 'bin'), { recursive: true })
    for (const file of ['package.json', 'package-lock.json']) {
      cpSync(app.makePath(file), join(clone, file))
    }
    const { port } = other.address() as AddressInfo
    writeFileSync(join(clone, '.env'), `INTERNAL_PORT=${port}\n`)
    const npm = join(clone, 'npm-cli.js')
    writeFileSync(npm, `require('node:fs').writeFileSync('${clone}/called', ''); process.exit(1)`)

    const { PATH } = process.env
    const env = { PATH, PORT: String(await freePort()), npm_execpath: npm }
    const { promise, resolve } = Promise.withResolvers<string>()
    execFile(process.execPath, [join(clone, 'bin/quickstart.mjs')], { env }, (_, out, err) =>
      resolve(out + err)
    )
    const said = await promise
    assert.include(said, `Port ${port} on 127.0.0.1 is taken by another program.`)
    assert.isFalse(existsSync(join(clone, 'called')), said)
  })
})
