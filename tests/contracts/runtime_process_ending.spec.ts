import { spawn } from 'node:child_process'
import { readdirSync, readFileSync, realpathSync } from 'node:fs'
import { mkdtemp, rmdir, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as after } from 'node:timers/promises'
import { test } from '@japa/runner'
import { AgentFolder, FOLDER_MARK } from '#runtimes/drivers/process/agent_folder'
import { ProcTable } from '#runtimes/drivers/process/proc_table'
import { HERE, ProcessTrial } from '#tests/contracts/process_trial'
import { SmallDisk } from '#tests/e2e/small_disk'
import { until } from '#tests/contracts/until'
import type { ProcessDriver } from '#runtimes/drivers/process/driver'

/** Milliseconds within which a process records the end of its child. */
const SETTLED_MS = 200

/** Holds an agent of the double. */
const DISK_KB = 4096

const isRunning = (pid: number) => new ProcTable().find(pid) !== null

test.group('Runtime | process | ending', (group) => {
  let trial: ProcessTrial
  let driver: ProcessDriver

  group.each.setup(async () => {
    trial = await ProcessTrial.prepare()
    driver = await trial.open(HERE)
    return () => trial.close()
  })

  test('ends an instance that does not listen, after the time it was given', async ({ assert }) => {
    const instance = await trial.start(trial.spec({ stubborn: true }))
    const began = performance.now()
    await driver.stop(instance, { graceMs: 300 })
    assert.isAtLeast(performance.now() - began, 300)
    assert.isFalse(isRunning(Number(instance.id)))
  })

  test('ends processes that left the group of the agent', async ({ assert }) => {
    const given = trial.spec({ escape: true })
    const instance = await trial.start(given)
    assert.match(await trial.log(instance), /escaped \d+/)
    // The printed pid is from the agent's namespace; find the process on the machine by its inherited
    // environment.
    const table = new ProcTable()
    const { mark } = new AgentFolder(realpathSync(trial.agentPath(given.name)), null)
    const ofAgent = () => table.withVariable({ [FOLDER_MARK]: mark })
    assert.isAbove((await ofAgent()).length, 1)
    await driver.stop(instance, { graceMs: 5000 })
    assert.isEmpty(await ofAgent())
  })

  test('writes nothing once it is closed, though an agent that it started ends later', async ({
    assert,
  }) => {
    const given = trial.spec()
    const starter = await trial.open(HERE)
    const instance = await trial.start(given, starter)
    await starter.close()
    const file = trial.agentPath(given.name, 'instance.json')
    const before = readFileSync(file, 'utf8')
    await trial.kill(instance)
    await trial.ended(instance)
    await after(SETTLED_MS)
    assert.equal(readFileSync(file, 'utf8'), before)
  })

  test('does not take another process with the same id for the agent', async ({ assert }) => {
    const given = trial.spec()
    const instance = await trial.start(given)
    await driver.stop(instance, { graceMs: 5000 })
    const bystander = spawn('sleep', ['600'])
    const file = trial.agentPath(given.name, 'instance.json')
    const record = JSON.parse(readFileSync(file, 'utf8'))
    const run = { ...record.run, pid: bystander.pid, exit: null, stopRequested: false }
    await writeFile(file, JSON.stringify({ ...record, run }))
    try {
      assert.equal((await driver.inspect(instance))!.status, 'exited')
      await driver.stop(instance, { graceMs: 0 })
      assert.isTrue(isRunning(bystander.pid!))
    } finally {
      bystander.kill('SIGKILL')
    }
  })

  test('takes a lock over from a command that was killed', async ({ assert }) => {
    const given = trial.spec()
    await trial.start(trial.spec())
    const lock = join(trial.config.storage, 'agents', `.${given.name}.lock`)
    await symlink('1:0:of-another-boot', lock)
    await trial.start(given)
    assert.isFalse(readdirSync(join(lock, '..')).some((name) => name.endsWith('.lock')))
  })

  test('knows why an agent ended: {reason}')
    .with([
      { reason: 'config_rejected', fake: { exitCode: 78 } },
      { reason: 'exited_early', fake: { exitCode: 3 } },
      {
        reason: 'no_capacity',
        fake: { exitCode: 1, print: { text: 'ENOSPC: no space left', times: 1 } },
      },
      {
        reason: 'out_of_memory',
        fake: { exitCode: 134, print: { text: 'FATAL: JavaScript heap out of memory', times: 1 } },
      },
    ])
    .run(async ({ assert }, { reason, fake }) => {
      const instance = await driver.ensure(trial.spec(fake), trial.patient())
      const observed = await trial.ended(instance)
      assert.equal(observed.exitCode, fake.exitCode)
      assert.equal(observed.failure!.reason, reason)
      assert.equal(observed.outOfMemory, reason === 'out_of_memory')
    })

  test('knows from the launcher why there was no document: {reason}')
    .with([
      { reason: 'no_provider', status: 409, code: 'E_NO_PROVIDER', exitCode: 65 },
      { reason: 'internal', status: 401, code: 'E_UNAUTHORIZED', exitCode: 77 },
    ])
    .run(async ({ assert }, { reason, status, code, exitCode }) => {
      trial.documents.refusal = { status, code }
      const observed = await trial.ended(await driver.ensure(trial.spec(), trial.patient()))
      assert.equal(observed.exitCode, exitCode)
      assert.equal(observed.failure!.reason, reason)
    })

  test('remembers for later drivers how an agent ended', async ({ assert }) => {
    const instance = await driver.ensure(trial.spec({ exitCode: 78 }), trial.patient())
    await trial.ended(instance)
    const file = trial.agentPath(instance.name, 'instance.json')
    await until(async () => JSON.parse(readFileSync(file, 'utf8')).run.exit)
    const next = await trial.open(HERE)
    assert.equal((await next.inspect(instance))!.failure!.reason, 'config_rejected')
  })
})

test.group('Runtime | process | on a full disk', (group) => {
  let trial: ProcessTrial
  let driver: ProcessDriver
  let disk: SmallDisk

  group.each.setup(async () => {
    const storage = await mkdtemp(join(tmpdir(), 'mosaic-small-disk-'))
    disk = new SmallDisk(storage, DISK_KB)
    // Starts get as far as to write.
    const freeBytes = async () => Number.MAX_SAFE_INTEGER
    trial = await ProcessTrial.prepare({ storage, freeBytes })
    driver = await trial.open(HERE)
    return async () => {
      await trial.close().finally(() => disk.remove())
      await rmdir(storage)
    }
  })

  /** Returns the files that a write left beside the file that it was for. */
  const leftovers = (name: string) =>
    readdirSync(trial.agentPath(name)).filter((file) => /\.json\./.test(file))

  test('stops an agent and deletes its data, and leaves no halves of files', async ({ assert }) => {
    const given = trial.spec()
    const instance = await trial.start(given)
    disk.fill()
    await driver.stop(instance, { graceMs: 5000 })
    assert.isFalse(isRunning(Number(instance.id)))
    assert.deepEqual(leftovers(given.name), [])

    const refusal = await trial.failureOf(driver, given)
    assert.equal(refusal.reason, 'no_capacity')
    assert.deepEqual(leftovers(given.name), [])

    await driver.purge(instance)
    assert.isNull(await driver.inspect(instance))
    assert.deepEqual(readdirSync(join(trial.config.storage, 'agents')), ['.users.json'])
  }).skip(!SmallDisk.isPossible, 'Only root can mount a disk.')
})
