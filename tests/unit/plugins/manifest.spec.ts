import { join } from 'node:path'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { test } from '@japa/runner'
import { readManifest } from '#plugins/manifest'
import { writePlugin, type PluginPackage } from '#tests/doubles/plugin_package'

test.group('The manifest of a plugin', (group) => {
  let folder: string
  group.each.setup(async () => {
    folder = await mkdtemp(join(tmpdir(), 'mosaic-manifest-'))
    return () => rm(folder, { recursive: true })
  })

  const read = async (given?: PluginPackage) =>
    readManifest(await writePlugin(folder, given), 'named')

  test('says what the plugin is, and where its provider is', async ({ assert }) => {
    assert.deepEqual(await read(), {
      name: 'mosaic-acme',
      version: '1.0.0',
      apiVersion: 1,
      brings: { runtimes: ['acme'], adapters: [], vaults: [], services: [] },
      provider: join(folder, 'dist/provider.js'),
    })
  })

  test('need not say what the plugin brings', async ({ assert }) => {
    const { brings } = await read({ mosaic: { apiVersion: 1 } })
    assert.isNull(brings)
  })

  test('may name its provider itself', async ({ assert }) => {
    await writeFile(join(folder, 'own.js'), '')
    const { provider } = await read({ mosaic: { apiVersion: 1, provider: './own.js' } })
    assert.equal(provider, join(folder, 'own.js'))
  })

  const refused: [string, PluginPackage, string, RegExp][] = [
    ['a package that is no plugin', { mosaic: null }, 'E_NOT_A_PLUGIN', /no "mosaic.apiVersion"/],
    [
      'contracts of a later Mosaic',
      { mosaic: { apiVersion: 2 } },
      'E_PLUGIN_API_VERSION',
      /version 2 of the plugin API, and this Mosaic has version 1\.$/,
    ],
    ['contracts as a text', { mosaic: { apiVersion: '1' } }, 'E_PLUGIN_API_VERSION', /version 1/],
    [
      'a plugin that nobody built',
      { provider: null },
      'E_PLUGIN_WITHOUT_PROVIDER',
      /\.\/dist\/provider\.js/,
    ],
  ]
  test('refuses {0}')
    .with(refused)
    .run(async ({ assert }, [, given, code, said]) => {
      const error = await read(given).catch((thrown) => thrown)
      assert.equal(error.code, code)
      assert.match(error.message, said)
      assert.isAbove(error.help.length, 20)
    })

  test('says whom to upgrade', async ({ assert }) => {
    const later = await read({ mosaic: { apiVersion: 2 } }).catch((thrown) => thrown)
    assert.match(later.help, /^Upgrade Mosaic, or/)
    const earlier = await read({ mosaic: { apiVersion: 0 } }).catch((thrown) => thrown)
    assert.match(earlier.help, /^Install a version/)
  })
})
