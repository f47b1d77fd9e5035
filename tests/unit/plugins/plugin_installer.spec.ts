import { join } from 'node:path'
import { mkdtemp, readFile, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { test } from '@japa/runner'
import { PluginInstaller } from '#plugins/plugin_installer'
import { installedPlugins } from '#plugins/plugins_folder'
import { writePlugin } from '#tests/doubles/plugin_package'

test.group('Installing plugins', (group) => {
  let root: string
  let folder: string
  let installer: PluginInstaller

  group.tap((one) => one.timeout(120_000))
  group.each.setup(async () => {
    root = await mkdtemp(join(tmpdir(), 'mosaic-plugins-'))
    folder = join(root, 'plugins')
    installer = new PluginInstaller(folder)
    return () => rm(root, { recursive: true })
  })

  const plugin = (given = {}) => writePlugin(join(root, 'acme'), given)
  const names = () => installedPlugins(folder).map(({ name }) => name)
  const lists = async () =>
    Promise.all(
      ['package.json', 'package-lock.json'].map((file) => readFile(join(folder, file), 'utf8'))
    )

  test('keeps a folder as a tarball with its checksum, without its peers', async ({ assert }) => {
    const { name, version } = await installer.add(await plugin())
    assert.deepEqual([name, version], ['mosaic-acme', '1.0.0'])
    const [{ manifest, problem }] = installedPlugins(folder)
    assert.isNull(problem)
    assert.equal(manifest!.provider, join(folder, 'node_modules/mosaic-acme/dist/provider.js'))

    const [tarball] = await readdir(join(folder, 'packages'))
    const lock = JSON.parse((await lists())[1])
    assert.match(lock.packages['node_modules/mosaic-acme'].integrity, /^sha512-/)
    assert.equal(lock.packages['node_modules/mosaic-acme'].resolved, `file:packages/${tarball}`)
    assert.deepEqual(await readdir(join(folder, 'node_modules')).then(visible), ['mosaic-acme'])
  })

  test('takes a tarball, and one of the same version with other content', async ({ assert }) => {
    await installer.add(await plugin())
    const [tarball] = await readdir(join(folder, 'packages'))
    const other = new PluginInstaller(join(root, 'elsewhere'))
    await other.add(join(folder, 'packages', tarball))
    assert.deepEqual(
      installedPlugins(join(root, 'elsewhere')).map(({ name }) => name),
      ['mosaic-acme']
    )

    await installer.add(await plugin({ provider: 'export default class Changed {}' }))
    const { manifest } = installedPlugins(folder)[0]
    assert.include(await readFile(manifest!.provider, 'utf8'), 'Changed')
    assert.lengthOf(await readdir(join(folder, 'packages')), 1)
  })

  test('looks only, when it is asked to', async ({ assert }) => {
    const { name } = await installer.add(await plugin(), { dryRun: true })
    assert.equal(name, 'mosaic-acme')
    assert.deepEqual(names(), [])
    await assert.rejects(
      async () =>
        installer.add(await plugin({ mosaic: { apiVersion: 2 } }), {
          dryRun: true,
        }),
      /version 2 of the plugin API/
    )
  })

  test('changes nothing when a new version does not load', async ({ assert }) => {
    await installer.add(await plugin())
    const before = await lists()
    const provider = "import 'nowhere-to-be-found'"
    const broken = await plugin({ version: '2.0.0', provider })
    const error = await installer.add(broken).catch((thrown) => thrown)
    assert.equal(error.code, 'E_PLUGIN_FAILED')
    assert.match(error.message, /nowhere-to-be-found/)
    assert.deepEqual(await lists(), before)
    assert.equal(installedPlugins(folder)[0].manifest!.version, '1.0.0')
    assert.lengthOf(await readdir(join(folder, 'packages')), 1)
  })

  test('refuses a plugin whose import never ends, and does not list it', async ({ assert }) => {
    const impatient = new PluginInstaller(folder, 500)
    const endless = await plugin({ provider: 'await new Promise(() => {})' })
    const error = await impatient.add(endless).catch((thrown) => thrown)
    assert.equal(error.code, 'E_PLUGIN_FAILED')
    assert.match(error.message, /its import did not end within 0\.5 seconds/)
    assert.deepEqual(names(), [])
    assert.deepEqual(await readdir(join(folder, 'packages')), [])
  })

  test('removes a plugin with its tarball, and knows those that are there', async ({ assert }) => {
    await installer.add(await plugin())
    await assert.rejects(() => installer.remove('mosaic-other'), /"mosaic-other" is not installed/)
    await installer.remove('mosaic-acme')
    assert.deepEqual(names(), [])
    assert.deepEqual(await readdir(join(folder, 'packages')), [])
  })

  test('says that a folder is not there, or is no plugin', async ({ assert }) => {
    const missing = await installer.add('./no/such/folder').catch((thrown) => thrown)
    assert.equal(missing.code, 'E_NOT_A_PLUGIN')
    const foreign = await installer.add(await plugin({ mosaic: null })).catch((thrown) => thrown)
    assert.equal(foreign.code, 'E_NOT_A_PLUGIN')
  })

  test('tells a listed plugin whose package is missing', async ({ assert }) => {
    await installer.add(await plugin())
    await rm(join(folder, 'node_modules'), { recursive: true })
    const [{ name, problem }] = installedPlugins(folder)
    assert.equal(name, 'mosaic-acme')
    assert.include((problem as { help?: string }).help!, 'npm ci')
  })
})

const visible = (files: string[]) => files.filter((file) => !file.startsWith('.'))
