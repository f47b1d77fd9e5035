import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from '@japa/runner'
import app from '@adonisjs/core/services/app'
import ace from '@adonisjs/core/services/ace'
import MakeVault from '#commands/make_vault'
import { makePlugin } from '#console/plugin_generator'
import { kitTarball, OutsideFolder } from '#tests/plugins/outside'

/** A name with a dash: it has to fit a package, a class and a property. */
const NAME = 'my-own'

test.group('Plugin generators', () => {
  test('make a package of kind "{kind}" that passes its contract, and says where to begin')
    .with([
      { kind: 'runtime', brings: { runtimes: [NAME] } },
      { kind: 'llm-adapter', brings: { adapters: [NAME] } },
      { kind: 'vault', brings: { vaults: [NAME] } },
    ] as const)
    .run(async ({ assert, cleanup }, { kind, brings }) => {
      const folder = await OutsideFolder.make()
      cleanup(() => folder.close())
      const given = { root: app.makePath(), kind, name: NAME, folder: folder.path }
      const made = await makePlugin({ ...given, kit: await kitTarball() })
      assert.equal(made.package, 'mosaic-my-own')
      const manifest = JSON.parse(readFileSync(join(folder.path, 'package.json'), 'utf8'))
      assert.deepEqual(manifest.mosaic, { apiVersion: 1, ...brings })
      assert.containSubset(manifest.scripts, {
        pretest: 'npm run typecheck',
        prepack: 'npm run build',
      })
      await folder.install()

      assert.deepEqual(await folder.typecheck(), { code: 0, output: '' })
      const contract = await folder.test('contract')
      assert.equal(contract.code, 0, contract.output)
      assert.match(contract.output, /Tests {2}\d\d passed/)

      const work = await folder.test('work')
      assert.equal(work.code, 1, work.output)
      assert.match(work.output, /Begin with "\w+" in src\/\w+\.ts\./)

      assert.deepEqual(await folder.build(), { code: 0, output: '' })
      assert.isTrue(existsSync(join(folder.path, 'dist/provider.js')))
      if (kind !== 'vault') return
      // Keys that end with the process would take all secrets along.
      const { createMyOwn } = await import(join(folder.path, 'dist/index.js'))
      const vault = await createMyOwn()
      const context = { table: 'users', column: 'secret', rowId: '1' }
      await assert.rejects(() => vault.seal('secret', context), /Begin with "readKeys"/)
      assert.containSubset(await vault.preflight(), [{ severity: 'error' }])
    })

  test('pack the kit, by the command', async ({ assert, cleanup }) => {
    const folder = await OutsideFolder.make()
    cleanup(() => folder.close())
    const command = await ace.create(MakeVault, [NAME, `--path=${folder.path}`])
    await command.exec()
    command.assertSucceeded()
    const { dependencies } = JSON.parse(readFileSync(join(folder.path, 'package.json'), 'utf8'))
    const tarball = dependencies['@mosaic/plugin-kit'].replace('file:', '')
    assert.isTrue(existsSync(join(folder.path, tarball)))

    const again = await ace.create(MakeVault, [NAME, `--path=${folder.path}`])
    await again.exec()
    again.assertFailed()
    assert.equal(again.error.code, 'E_PLUGIN_FOLDER')
  })

  test('refuse the name {$self}')
    .with(['Acme', '1st', 'a_b', 'a--b', '../up', ''])
    .run(async ({ assert }, name) => {
      const given = { root: app.makePath(), kind: 'vault', folder: '/nowhere' } as const
      await assert.rejects(() => makePlugin({ ...given, name }), /cannot name a plugin/)
    })
})
