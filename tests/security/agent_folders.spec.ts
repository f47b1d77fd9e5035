import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, lstatSync, mkdirSync, readFileSync, readdirSync, statSync } from 'node:fs'
import { chmod, link, lstat, mkdir, open, rm, symlink, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { test } from '@japa/runner'
import { usableRange } from '#runtimes/drivers/process/users'
import { HERE, ProcessTrial } from '#tests/contracts/process_trial'
import type { ProcessDriver } from '#runtimes/drivers/process/driver'
import type { InstanceSpec } from '#runtimes/contract'

/** Number of the victim's files behind the swapped links. */
const FOREIGN_FILES = 100

/** Swaps state folders, including its working folder, for links to the victim and back, as fast as it can. */
const SWAPPER = `
  const { mkdirSync, renameSync, symlinkSync, writeFileSync } = require('node:fs')
  const [victim] = process.argv.slice(1)
  const attempt = (work) => { try { work() } catch {} }
  const names = Array.from({ length: 40 }, (_, at) => 'swapped-' + at)
  for (const name of names) {
    mkdirSync(name)
    for (let file = 0; file < ${FOREIGN_FILES}; file++) writeFileSync(name + '/' + file, '')
    symlinkSync(victim, name + '-link')
  }
  console.log('swapping')
  for (;;) for (const name of names) {
    attempt(() => renameSync(name, name + '-aside'))
    attempt(() => renameSync(name + '-link', name))
    attempt(() => renameSync(name, name + '-link'))
    attempt(() => renameSync(name + '-aside', name))
  }`

/** Only root has the rights that a link could abuse. */
if (usableRange()) {
  test.group('Security | the folders of a hostile agent', (group) => {
    let trial: ProcessTrial
    let driver: ProcessDriver
    let victim: string

    group.each.setup(async () => {
      trial = await ProcessTrial.prepare()
      driver = await trial.open(HERE)
      victim = join(trial.folder, 'victim')
      mkdirSync(victim)
      await refill()
      return () => trial.close()
    })

    async function refill(): Promise<void> {
      for (let file = 0; file < FOREIGN_FILES; file++) {
        await writeFile(join(victim, String(file)), 'of root', { mode: 0o600 })
      }
    }

    const foreign = () => readdirSync(victim).length
    const owners = () => readdirSync(victim).map((name) => statSync(join(victim, name)).uid)
    const userOf = ({ name }: InstanceSpec) =>
      JSON.parse(readFileSync(trial.agentPath(name, 'instance.json'), 'utf8')).user

    /** A stopped agent whose data is in its folder. */
    async function stopped(given = trial.spec()): Promise<InstanceSpec> {
      await driver.stop(await driver.ensure(given, trial.patient()), { graceMs: 0 })
      return given
    }

    /**
     * Runs work against a swapper that survives kills by user id, because it shares only the agent's group.
     */
    async function withSwapper(given: InstanceSpec, work: () => Promise<void>): Promise<void> {
      const { gid } = userOf(given)
      const state = trial.agentPath(given.name, 'state')
      await chmod(state, 0o770)
      const swapper = spawn(process.execPath, ['-e', SWAPPER, victim], {
        cwd: state,
        uid: 65_533,
        gid,
        stdio: ['ignore', 'pipe', 'ignore'],
      })
      await once(swapper.stdout, 'data')
      try {
        await work()
      } finally {
        swapper.kill('SIGKILL')
        await once(swapper, 'exit')
      }
    }

    test('purging follows no folder that is swapped for a link meanwhile', async ({ assert }) => {
      for (let round = 0; round < 2; round++) {
        const given = await stopped()
        await withSwapper(given, async () => {
          await driver.purge({ name: given.name, state: null })
        })
        assert.isFalse(existsSync(trial.agentPath(given.name)))
        assert.equal(foreign(), FOREIGN_FILES)
      }
    }).timeout(120_000)

    test('importing follows none', async ({ assert }) => {
      const given = await stopped()
      const data = await buffer(
        (await driver.exportData({ name: given.name, state: null }, trial.patient()))!
      )
      await withSwapper(given, async () => {
        await driver.importData(given, Readable.from([data]), trial.patient()).catch(() => {})
      })
      assert.equal(foreign(), FOREIGN_FILES)
    }).timeout(120_000)

    test('a link in the place of a whole folder is not followed', async ({ assert }) => {
      const given = await stopped()
      const state = trial.agentPath(given.name, 'state')
      await rm(state, { recursive: true })
      await symlink(victim, state)
      await assert.rejects(() => driver.importData(given, Readable.from([]), trial.patient()))
      assert.match((await trial.failureOf(driver, given)).message, /is not the folder/)
      await driver.purge({ name: given.name, state: null })
      assert.equal(foreign(), FOREIGN_FILES)
      assert.isFalse(existsSync(trial.agentPath(given.name)))
    })

    test('handing over takes nothing along that only has a name in the folder', async ({
      assert,
    }) => {
      const shared = await trial.open(HERE, { users: false })
      const given = trial.spec()
      await shared.stop(await shared.ensure(given, trial.patient()), { graceMs: 0 })
      const state = (name: string) => trial.agentPath(given.name, 'state', name)
      await link(join(victim, '0'), state('hard'))
      await symlink(victim, state('soft'))
      await mkdir(state('deep/er'), { recursive: true })
      await writeFile(state('deep/er/own'), 'own')

      await driver.ensure(given, trial.patient())
      const { uid } = userOf(given)
      assert.deepEqual(new Set(owners()), new Set([0]))
      for (const name of ['soft', 'deep', 'deep/er', 'deep/er/own']) {
        assert.equal(lstatSync(state(name)).uid, uid, name)
      }
    })

    test('a tree that is closed, deep and has odd names is deleted all the same', async ({
      assert,
    }) => {
      const given = await stopped()
      const { uid, gid } = userOf(given)
      const mess = spawn(
        process.execPath,
        [
          '-e',
          `const { mkdirSync, chmodSync, writeFileSync } = require('node:fs')
           writeFileSync(Buffer.from([0xff, 0xfe]), '')
           for (let depth = 0; depth < 2000; depth++) {
             mkdirSync('d'.repeat(50))
             process.chdir('d'.repeat(50))
           }
           mkdirSync('closed/inside', { recursive: true })
           chmodSync('closed', 0)`,
        ],
        { uid, gid, cwd: trial.agentPath(given.name, 'state') }
      )
      assert.deepEqual(await once(mess, 'exit'), [0, null])
      await driver.purge({ name: given.name, state: null })
      assert.isFalse(existsSync(trial.agentPath(given.name)))
      assert.deepEqual(
        readdirSync(trial.agentPath('')).filter((name) => name.startsWith('.e')),
        []
      )
    }).timeout(60_000)

    test('a leftover that cannot be deleted keeps no driver from opening', async ({
      assert,
      cleanup,
    }) => {
      const given = await stopped()
      const left = trial.agentPath('.erased-left')
      await mkdir(left)
      await writeFile(join(left, 'file'), '')
      const pinned = spawn('chattr', ['+i', join(left, 'file')])
      const [code] = await once(pinned, 'exit')
      if (code !== 0) {
        // Without immutable files, replace the folder by a file, which cannot be emptied either.
        await rm(left, { recursive: true })
        await writeFile(left, '')
      }
      cleanup(async () => {
        await once(spawn('chattr', ['-i', join(left, 'file')]), 'exit')
        await rm(left, { recursive: true, force: true })
      })
      const later = await trial.open(HERE)
      assert.isNotNull(await later.inspect({ name: given.name, state: null }))
    })

    test('no user id is given twice, as long as the range lasts', async ({ assert }) => {
      const seen: number[] = []
      for (let round = 0; round < 3; round++) {
        const given = await stopped()
        seen.push(userOf(given).uid)
        await driver.purge({ name: given.name, state: null })
      }
      assert.equal(new Set(seen).size, 3)
    })

    test('no user id is given that a process or a file bears', async ({ assert, cleanup }) => {
      const first = 310_000
      const small = await trial.open(HERE, { users: { first, count: 3 } })
      const survivor = spawn('sleep', ['60'], { uid: first, gid: first })
      const file = join('/var/tmp', `left-by-an-agent-${process.pid}`)
      await writeFile(file, '')
      await using handle = await open(file)
      await handle.chown(first + 1, first + 1)
      cleanup(async () => {
        survivor.kill('SIGKILL')
        await rm(file, { force: true })
      })
      const given = trial.spec({ exitCode: 0 })
      await small.ensure(given, trial.patient())
      assert.equal(userOf(given).uid, first + 2)
      assert.equal((await trial.failureOf(small, trial.spec())).reason, 'no_capacity')
    })

    test('a look at the log costs no more memory than the end of it', async ({ assert }) => {
      const given = await stopped()
      const path = (name: string) => trial.agentPath(given.name, name)
      // The worst that an agent can do to its log and its token file.
      await truncate(path('agent.log'), 1024 ** 4)
      const { uid, mode } = await lstat(path('secrets.json'))
      assert.equal(uid, userOf(given).uid)
      assert.equal(mode & 0o777, 0o400)
      await chmod(path('secrets.json'), 0o600)
      await truncate(path('secrets.json'), 400 * 1024 ** 2)

      const before = process.memoryUsage().rss
      const lines = await Array.fromAsync(
        driver.logs({ name: given.name, state: null }, { tail: 100 })
      )
      assert.isAtMost(Buffer.byteLength(lines.join('\n')), 2 * 1024 ** 2)
      assert.isBelow(process.memoryUsage().rss - before, 200 * 1024 ** 2)
    })
  })
}
