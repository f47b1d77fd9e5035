import { spawnSync } from 'node:child_process'
import { chmodSync, lchownSync, mkdirSync, mkdtempSync, statSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from '@japa/runner'
import app from '@adonisjs/core/services/app'
import { claimSharedCache, sharedCacheFinding } from '#runtimes/drivers/process/shared_cache'

const isRoot = process.getuid?.() === 0
const AGENT = 12_345

/** A folder for temporary files that everybody may write into. */
function sharedTemporary() {
  const folder = mkdtempSync(join(tmpdir(), 'shared-'))
  chmodSync(folder, 0o1777)
  return folder
}

test.group('The compile cache that Node shares by default', () => {
  test('is root’s own before an agent can make it', async ({ assert }) => {
    const path = join(sharedTemporary(), 'node-compile-cache')
    assert.isNull(await sharedCacheFinding(path))
    await claimSharedCache(path)
    await claimSharedCache(path)
    assert.equal(statSync(path).mode & 0o777, 0o700)
    assert.isNull(await sharedCacheFinding(path))
    if (!isRoot) return
    const planted = spawnSync('mkdir', [join(path, 'v24-0')], { uid: AGENT, gid: AGENT })
    assert.notEqual(planted.status, 0)
    const moved = spawnSync('mv', [path, `${path}-away`], { uid: AGENT, gid: AGENT })
    assert.notEqual(moved.status, 0)
  })

  test('is told of where somebody else has made it', async ({ assert }) => {
    const open = join(sharedTemporary(), 'node-compile-cache')
    mkdirSync(open)
    chmodSync(open, 0o777)
    assert.equal((await sharedCacheFinding(open))?.code, 'shared_compile_cache')

    const link = join(sharedTemporary(), 'node-compile-cache')
    symlinkSync(open, link)
    await claimSharedCache(link)
    assert.match((await sharedCacheFinding(link))!.hint, /rm -rf/)
    if (!isRoot) return
    const foreign = join(sharedTemporary(), 'node-compile-cache')
    mkdirSync(foreign, { mode: 0o755 })
    lchownSync(foreign, AGENT, AGENT)
    assert.equal((await sharedCacheFinding(foreign))?.severity, 'warning')
  })

  test('is used by nothing that Mosaic starts: {name}')
    .with([
      { name: 'a program of the set-up', words: ['--input-type=module', '-e', throughSetup()] },
      { name: 'a command', words: ['ace.js', 'list'] },
    ])
    .run(({ assert }, { words }) => {
      const temporary = sharedTemporary()
      mkdirSync(join(temporary, 'node-compile-cache'))
      const { NODE_COMPILE_CACHE: _own, NODE_DISABLE_COMPILE_CACHE: _off, ...env } = process.env
      const { stdout, stderr, status } = spawnSync(process.execPath, words, {
        cwd: app.makePath(),
        encoding: 'utf8',
        env: { ...env, TMPDIR: temporary, NODE_OPTIONS: `--import ${atExit()}` },
      })
      assert.equal(status, 0, stderr)
      assert.include(stdout + stderr, 'cache: Disabled by NODE_DISABLE_COMPILE_CACHE')
    })
})

/** Starts a program as the set-up does, and shows what it says. */
function throughSetup() {
  return `
    const { command } = await import('${app.makePath('bin/setup/command.mjs')}')
    process.env.NODE_OPTIONS = \`--import \${${JSON.stringify(atExit())}}\`
    process.stdout.write(await command(process.execPath, ['-e', '0']))
    process.exit()
  `
}

/** What a compiler does as it starts, told as the process ends. */
function atExit() {
  const source = `
    import { enableCompileCache } from 'node:module'
    process.on('exit', () => console.log('cache: ' + enableCompileCache().message))
  `
  return `data:text/javascript,${encodeURIComponent(source)}`
}
