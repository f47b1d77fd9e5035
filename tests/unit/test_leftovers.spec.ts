import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from '@japa/runner'
import { endLeftovers } from '../runner/leftovers.mjs'

test.group('Processes that a test run left behind', (group) => {
  let places: { proc: string; cgroups: string }
  let left: ChildProcess

  group.each.setup(() => {
    const folder = mkdtempSync(join(tmpdir(), 'mosaic-left-'))
    places = { proc: join(folder, 'proc'), cgroups: join(folder, 'cgroup') }
    left = spawn('sleep', ['600'], { stdio: 'ignore' })
    return () => {
      left.kill('SIGKILL')
      rmSync(folder, { recursive: true })
    }
  })

  /** Puts the process into these control groups, as the kernel's files tell it. */
  function isIn(groups: string): void {
    const folder = join(places.proc, `${left.pid}`)
    mkdirSync(folder, { recursive: true })
    writeFileSync(join(folder, 'cgroup'), groups)
  }

  /** Makes a group of the freezer. Returns the file with its state. */
  function frozen(path: string): string {
    const folder = join(places.cgroups, 'freezer', path)
    mkdirSync(folder, { recursive: true })
    const state = join(folder, 'freezer.state')
    writeFileSync(state, 'FROZEN')
    return state
  }

  test('thaw once they are killed, because a frozen one does not die', async ({ assert }) => {
    const state = frozen('/mosaic-key/mosaic-user-1')
    const other = frozen('/mosaic-key/mosaic-user-2')
    isIn('6:freezer:/mosaic-key/mosaic-user-1\n4:memory:/mosaic-key/mosaic-user-1\n0::/\n')
    const exit = once(left, 'exit')
    endLeftovers([{ pid: left.pid! }], places)
    assert.deepEqual(await exit, [null, 'SIGKILL'])
    assert.equal(readFileSync(state, 'utf8'), 'THAWED')
    assert.equal(readFileSync(other, 'utf8'), 'FROZEN')
  })

  test('are killed where nothing freezes them', async ({ assert }) => {
    const root = frozen('/')
    isIn('6:freezer:/\n0::/\n')
    const exit = once(left, 'exit')
    endLeftovers([{ pid: left.pid! }], places)
    assert.deepEqual(await exit, [null, 'SIGKILL'])
    assert.equal(readFileSync(root, 'utf8'), 'FROZEN')
  })

  test('may have ended meanwhile', async ({ assert }) => {
    left.kill('SIGKILL')
    await once(left, 'exit')
    assert.doesNotThrow(() => endLeftovers([{ pid: left.pid! }], places))
  })
})
