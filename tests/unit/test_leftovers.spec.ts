import { execFileSync, spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { test } from '@japa/runner'
import { until } from '#tests/contracts/until'
import { described, endLeftovers, lastingLeftovers, leftovers } from '../runner/leftovers.mjs'

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

test.group('What a test run tells of a process that it left behind', (group) => {
  let folder: string

  /** As the launcher of a sandbox: it names the folder, and what it started does not. */
  function launch(script: string): ChildProcess {
    return spawn('sh', ['-c', script], { cwd: '/', env: { FOLDER: folder }, stdio: 'ignore' })
  }
  const names = () => leftovers(folder).map(({ name }) => name)

  group.each.setup(() => {
    folder = mkdtempSync(join(tmpdir(), 'mosaic-left-'))
    return () => {
      endLeftovers(leftovers(folder))
      rmSync(folder, { recursive: true })
    }
  })
  group.tap((each) => each.skip(process.platform !== 'linux', 'Only Linux tells of processes.'))

  test('is all that it started, who runs it and which spec ran at its start', async ({
    assert,
  }) => {
    launch('/usr/bin/env -i /bin/sleep 600 & wait')
    await until(async () => names().includes('sleep'))
    assert.sameMembers(names(), ['sh', 'sleep'])

    const left = leftovers(folder)
    const [{ startedAt }] = left
    const files = [
      { file: 'first.spec.ts', from: startedAt - 2000, to: startedAt - 1000 },
      { file: 'second.spec.ts', from: startedAt - 1000, to: startedAt + 1000 },
    ]
    const [told] = described(left, files)
    assert.match(
      told,
      /^left running: sh \(\d+, child of \d+\), started during second\.spec\.ts: sh -c/
    )
    assert.include(told, 'sleep 600')
    assert.include(described(left, [])[0], 'before any spec ended')
    assert.include(
      described(left, files.slice(0, 1))[0],
      'outside of any spec; the last was first.spec.ts'
    )
  })

  test('is nothing of a suite whose folder is named alike', async ({ assert }) => {
    const { pid } = launch('sleep 600')
    await until(async () => names().length > 0)
    assert.isEmpty(leftovers(folder.slice(0, -1)))
    assert.include(
      leftovers(dirname(folder)).map((left) => left.pid),
      pid!
    )
  })

  test('is nothing that has a copy of the machine’s mounts, as other sandboxes do', async ({
    assert,
    cleanup,
  }) => {
    execFileSync('mount', ['-t', 'tmpfs', 'none', folder])
    const copied = 'mount -t tmpfs none /mnt && mkdir /mnt/root && mount --rbind / /mnt/root'
    const other = spawn('unshare', ['--mount', 'sh', '-c', `${copied} && exec sleep 600`], {
      cwd: '/',
      stdio: 'ignore',
    })
    cleanup(() => {
      other.kill('SIGKILL')
      execFileSync('umount', [folder])
    })
    const mounts = () => readFileSync(`/proc/${other.pid}/mountinfo`, 'utf8')
    await until(async () => mounts().includes(` /mnt/root${folder} `))
    assert.deepEqual(leftovers(folder), [])
  }).skip(() => process.getuid?.() !== 0, 'Only root can mount.')

  test('is nothing if it is just about to end', async ({ assert }) => {
    launch('sleep 2')
    await until(async () => names().length > 0)
    assert.deepEqual(await lastingLeftovers(folder), [])
  })
})
