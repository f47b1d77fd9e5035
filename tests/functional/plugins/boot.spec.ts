import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { tmpdir } from 'node:os'
import { promisify } from 'node:util'
import { test } from '@japa/runner'
import app from '@adonisjs/core/services/app'
import { writePlugin, type PluginPackage } from '#tests/doubles/plugin_package'

const PLUGINS: Record<string, PluginPackage> = {
  'mosaic-good': {
    mosaic: { apiVersion: 1 },
    provider: `export default class {
      constructor(app) { this.app = app }
      boot() {
        this.app.container.resolving('runtime.manager', (runtimes) => runtimes.extend('good', () => {}))
      }
    }`,
  },
  'mosaic-misspelt': { mosaic: { apiVersion: 1, runtimes: ['goood'] } },
  'mosaic-later': { mosaic: { apiVersion: 2, vaults: ['later'] } },
  'mosaic-throws': {
    provider: 'export default class { boot() { throw new Error("out of luck") } }',
  },
  'mosaic-unloadable': { provider: "import 'nowhere-to-be-found'" },
  'mosaic-endless': { provider: 'await new Promise(() => {})' },
  'mosaic-hangs': {
    provider: 'export default class { boot() { return new Promise(() => {}) } }',
  },
  'mosaic-empty': { provider: 'export const nothing = true' },
  'mosaic-unbuilt': { provider: null },
}

test.group('Plugins at boot', (group) => {
  let folder: string
  group.each.setup(async () => {
    folder = await mkdtemp(join(tmpdir(), 'mosaic-boot-'))
    const dependencies: Record<string, string> = {}
    for (const [name, given] of Object.entries(PLUGINS)) {
      dependencies[name] = '1.0.0'
      const place = join(folder, 'node_modules', name)
      await mkdir(place, { recursive: true })
      await writePlugin(place, { ...given, name })
    }
    await writeFile(join(folder, 'package.json'), JSON.stringify({ dependencies }))
    return () => rm(folder, { recursive: true })
  })

  async function list() {
    const env = { ...process.env, PLUGINS_PATH: folder, PLUGIN_TIMEOUT_SEC: '10', NODE_ENV: 'test' }
    const args = [app.makePath('ace.js'), 'plugin:list', '--json']
    const { code, stdout } = await promisify(execFile)(process.execPath, args, { env }).catch(
      (ended) => ended
    )
    const { plugins } = JSON.parse(stdout) as {
      plugins: { name: string; brings: object; problem: { message: string; hint: string } | null }[]
    }
    return { code, plugins }
  }

  test('are all left out where their list was cut short, and its file is named', async ({
    assert,
  }) => {
    const file = join(folder, 'package.json')
    await writeFile(file, '')
    const { code, plugins } = await list()
    assert.equal(code, 1)
    assert.lengthOf(plugins, 1)
    assert.include(plugins[0].problem!.message, file)
    assert.include(plugins[0].problem!.hint, `${file}.before`)
  }).timeout(120_000)

  test('are loaded, and those that fail are left out with the reason', async ({ assert }) => {
    const { code, plugins } = await list()
    const told = Object.fromEntries(
      plugins.map(({ name, problem }) => [name, problem?.message ?? 'loaded'])
    )
    assert.equal(told['mosaic-good'], 'loaded')
    assert.match(told['mosaic-later'], /version 2 of the plugin API/)
    assert.match(told['mosaic-throws'], /out of luck/)
    assert.match(told['mosaic-unloadable'], /nowhere-to-be-found/)
    assert.match(told['mosaic-endless'], /its import did not end within 10 seconds/)
    assert.match(told['mosaic-hangs'], /boot\(\) did not end within 10 seconds/)
    assert.match(told['mosaic-empty'], /no class as its default export/)
    assert.match(told['mosaic-unbuilt'], /lacks the file of its provider/)
    assert.equal(
      told['mosaic-misspelt'],
      'mosaic-misspelt declares goood (runtimes), which it does not register.'
    )
    for (const { problem } of plugins) if (problem) assert.isAbove(problem.hint.length, 20)

    const brings = (name: string) => plugins.find((one) => one.name === name)!.brings
    assert.deepEqual(brings('mosaic-good'), {
      runtimes: ['good'],
      adapters: [],
      vaults: [],
      services: [],
    })
    assert.deepEqual(brings('mosaic-later'), {
      runtimes: [],
      adapters: [],
      vaults: ['later'],
      services: [],
    })
    assert.equal(code, 1)
  }).timeout(120_000)
})
