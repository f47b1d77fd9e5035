import { join } from 'node:path'
import fs from 'node:fs'
import { cp, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises'
import { syncBuiltinESMExports } from 'node:module'
import { tmpdir } from 'node:os'
import { pathToFileURL } from 'node:url'
import { test } from '@japa/runner'
import type { PluginManifest } from '#plugins/manifest'
import { PluginInstaller } from '#plugins/plugin_installer'
import { installedPlugins } from '#plugins/plugins_folder'
import { writePlugin } from '#tests/doubles/plugin_package'

test.group('Installing plugins', (group) => {
  let root: string
  let folder: string
  let installer: PluginInstaller
  /** Where npm has installed a plugin once, for all cases that begin with one. */
  let base: string
  let added: PluginManifest

  group.tap((one) => one.timeout(120_000))
  group.setup(async () => {
    base = await mkdtemp(join(tmpdir(), 'mosaic-plugins-'))
    const acme = await writePlugin(join(base, 'acme'))
    added = await new PluginInstaller(join(base, 'plugins')).add(acme)
    return () => rm(base, { recursive: true })
  })
  group.each.setup(async () => {
    root = await mkdtemp(join(tmpdir(), 'mosaic-plugins-'))
    folder = join(root, 'plugins')
    installer = new PluginInstaller(folder)
    return () => rm(root, { recursive: true })
  })

  const plugin = (given = {}) => writePlugin(join(root, 'acme'), given)
  /** As after `installer.add(await plugin())`. */
  const installed = () =>
    cp(join(base, 'plugins'), folder, { recursive: true, preserveTimestamps: true })
  const names = () => installedPlugins(folder).map(({ name }) => name)
  const lists = async () =>
    Promise.all(
      ['package.json', 'package-lock.json'].map((file) => readFile(join(folder, file), 'utf8'))
    )

  test('keeps a folder as a tarball with its checksum, without its peers', async ({ assert }) => {
    await installed()
    assert.deepEqual([added.name, added.version], ['mosaic-acme', '1.0.0'])
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
    await installed()
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
    await installed()
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

  test('imports another version whole, though modules of the former are loaded', async ({
    assert,
  }) => {
    const version = (number: number) =>
      plugin({
        version: `${number}.0.0`,
        provider: `import { create${number} } from './index.js'\nexport default class {}`,
        index: `export const create${number} = () => {}`,
      })
    await installer.add(await version(1))
    await import(pathToFileURL(installedPlugins(folder)[0].manifest!.provider).href)
    await installer.add(await version(2))
    assert.equal(installedPlugins(folder)[0].manifest!.version, '2.0.0')

    await import(pathToFileURL(installedPlugins(folder)[0].manifest!.provider).href)
    const broken = await plugin({
      version: '3.0.0',
      provider: "import { create2 } from './index.js'\nexport default class {}",
      index: "export * from 'nowhere-to-be-found'",
    })
    const error = await installer.add(broken).catch((thrown) => thrown)
    assert.match(error.message, /nowhere-to-be-found/)
    assert.equal(installedPlugins(folder)[0].manifest!.version, '2.0.0')
  })

  test('refuses a provider that "{$self}"')
    .with(["import '@adonisjs/core/services/none'", 'process.exit()', 'export const provider = 1'])
    .run(async ({ assert }, provider) => {
      const error = await installer.add(await plugin({ provider })).catch((thrown) => thrown)
      assert.equal(error.code, 'E_PLUGIN_FAILED')
      assert.deepEqual(names(), [])
    })

  test('takes a provider that keeps its process alive', async ({ assert }) => {
    const provider = 'setInterval(() => {}, 1000)\nexport default class {}'
    await installer.add(await plugin({ provider }))
    assert.deepEqual(names(), ['mosaic-acme'])
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

  test('restores its lists where npm leaves them empty on a full disk', async ({
    assert,
    cleanup,
  }) => {
    await installed()
    const before = await lists()
    const changed = await plugin({ version: '2.0.0' })
    const { npm_execpath: real } = process.env
    process.env.npm_execpath = join(root, 'npm-cli.js')
    await writeFile(process.env.npm_execpath, npmOnFullDisk(real ?? 'npm'))
    const { writeFile: write } = fs.promises
    fs.promises.writeFile = async (file, content, options) => {
      if (file !== join(folder, 'package.json')) return write(file, content, options)
      await write(file, '', options)
      throw Object.assign(new Error('no space left on device'), { code: 'ENOSPC' })
    }
    syncBuiltinESMExports()
    cleanup(() => {
      fs.promises.writeFile = write
      syncBuiltinESMExports()
      restoreNpm(real)
    })
    const error = await installer.add(changed).catch((thrown) => thrown)
    assert.equal(error.code, 'E_PLUGIN_NPM', error.stack)
    assert.deepEqual(await lists(), before)
    assert.lengthOf(await readdir(join(folder, 'packages')), 1)
  })

  test('refuses to change a list that is broken, and names it', async ({ assert }) => {
    await installed()
    const list = join(folder, 'package.json')
    await writeFile(list, '')
    const [{ problem }, ...others] = installedPlugins(folder)
    assert.include(problem, { code: 'E_PLUGINS_LIST' })
    assert.isEmpty(others)
    const other = await writePlugin(join(root, 'other'), { name: 'mosaic-other' })
    for (const change of [() => installer.add(other), () => installer.remove('mosaic-acme')]) {
      const error = await change().catch((thrown) => thrown)
      assert.equal(error.code, 'E_PLUGINS_LIST')
      assert.include(error.message, list)
    }
    assert.lengthOf(await readdir(join(folder, 'packages')), 1)

    // The way out that the error names: without its list, the tarballs stay and can be added again.
    await rm(list)
    await installer.add(other)
    const [tarball] = (await readdir(join(folder, 'packages'))).filter((one) => /acme/.test(one))
    await installer.add(join(folder, 'packages', tarball))
    assert.deepEqual(names(), ['mosaic-acme', 'mosaic-other'])
  })

  test('changes one after the other, those that are asked for at once', async ({ assert }) => {
    const other = await writePlugin(join(root, 'other'), { name: 'mosaic-other' })
    const broken = await writePlugin(join(root, 'broken'), {
      name: 'mosaic-broken',
      provider: "import 'nowhere-to-be-found'",
    })
    await installed()
    const ends = await Promise.allSettled([
      new PluginInstaller(folder).add(broken),
      new PluginInstaller(folder).add(other),
      new PluginInstaller(folder).remove('mosaic-acme'),
    ])
    assert.deepEqual(
      ends.map(({ status }) => status),
      ['rejected', 'fulfilled', 'fulfilled']
    )
    assert.deepEqual(names(), ['mosaic-other'])
    assert.isNull(installedPlugins(folder)[0].problem)
    assert.lengthOf(await readdir(join(folder, 'packages')), 1)
  })

  test('removes a plugin with its tarball, and knows those that are there', async ({ assert }) => {
    await installed()
    await assert.rejects(() => installer.remove('mosaic-other'), /"mosaic-other" is not installed/)
    await installer.remove('mosaic-acme')
    assert.deepEqual(names(), [])
    assert.deepEqual(await readdir(join(folder, 'packages')), [])
  })

  /** npm takes the first three for repositories on the internet. */
  test('runs no npm for "{$self}", which is neither here nor the name of a package')
    .with([
      'plugins/foo',
      'github:someone/repo',
      'git+https://example.com/repo.git',
      'https://example.com/one.tgz',
      'name@npm:other',
      './no/such/folder',
      'missing.tgz',
    ])
    .run(async ({ assert, cleanup }, source) => {
      const { npm_execpath: real } = process.env
      process.env.npm_execpath = join(root, 'npm-cli.js')
      cleanup(() => restoreNpm(real))
      const missing = await installer.add(source).catch((thrown) => thrown)
      assert.equal(missing.code, 'E_NOT_A_PLUGIN', missing.message)
    })

  test('installs the tarball of a registry that it looked at, and fetches nothing again', async ({
    assert,
    cleanup,
  }) => {
    const { npm_execpath: real } = process.env
    process.env.npm_execpath = join(root, 'npm-cli.js')
    cleanup(() => restoreNpm(real))
    await writeFile(process.env.npm_execpath, npmWithRegistry(real ?? 'npm', await plugin()))
    await installer.add('@acme/mosaic-acme@^1.0.0')
    assert.deepEqual(names(), ['mosaic-acme'])
    assert.lengthOf(await readdir(join(folder, 'packages')), 1)
  })

  test('says that a folder is no plugin', async ({ assert }) => {
    const foreign = await installer.add(await plugin({ mosaic: null })).catch((thrown) => thrown)
    assert.equal(foreign.code, 'E_NOT_A_PLUGIN')
  })

  test('tells a listed plugin whose package is missing', async ({ assert }) => {
    await installed()
    await rm(join(folder, 'node_modules'), { recursive: true })
    const [{ name, problem }] = installedPlugins(folder)
    assert.equal(name, 'mosaic-acme')
    assert.include((problem as { help?: string }).help!, 'npm ci')
  })
})

const visible = (files: string[]) => files.filter((file) => !file.startsWith('.'))

function restoreNpm(path: string | undefined): void {
  if (path === undefined) delete process.env.npm_execpath
  else process.env.npm_execpath = path
}

/** Returns a script that acts as npm after some lines of its own, which may change `args`. */
const npmAfter = (npm: string, lines: string) => `
  const { spawnSync } = require('node:child_process')
  const { writeFileSync } = require('node:fs')
  const args = process.argv.slice(2)
  ${lines}
  const npm = ${JSON.stringify(npm)}
  const [program, ...first] = npm.endsWith('.js') ? [process.execPath, npm] : [npm]
  process.exit(spawnSync(program, [...first, ...args], { stdio: 'inherit' }).status)
`

const npmOnFullDisk = (npm: string) =>
  npmAfter(
    npm,
    `if (args.includes('--save-exact')) {
      writeFileSync('package.json', '')
      console.error('npm error ENOSPC: no space left on device')
      process.exit(1)
    }`
  )

/** Every name of a package is this folder's, and is fetched by `pack` only. */
const npmWithRegistry = (npm: string, folder: string) =>
  npmAfter(
    npm,
    `const named = args.at(-1)
    if (args.includes('pack')) args.splice(-1, 1, ${JSON.stringify(folder)})
    else if (!named.startsWith('./')) process.exit(1)`
  )
