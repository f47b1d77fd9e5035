import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, realpathSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { test } from '@japa/runner'
import { ProcTable } from '#runtimes/drivers/process/proc_table'
import { canSandbox } from '#runtimes/drivers/process/sandbox/sandbox'
import { Sandboxes } from '#runtimes/drivers/process/sandbox/sandboxes'
import { HERE, ProcessTrial } from '#tests/contracts/process_trial'
import { until } from '#tests/contracts/until'
import { processesOf } from '../runner/processes.mjs'

const PROBING = fileURLToPath(new URL('probing_mosaic.ts', import.meta.url))

/** Outside the range of agents, and not those of another test's probes. */
const PROBES = [413_010, 413_011]

if (canSandbox()) {
  test.group('A sandbox', (group) => {
    let trial: ProcessTrial
    const table = new ProcTable()

    group.each.setup(async () => {
      trial = await ProcessTrial.prepare()
      return () => trial.close()
    })

    test('of a probe ends with the Mosaic that is killed meanwhile', async ({
      assert,
      cleanup,
    }) => {
      mkdirSync(join(trial.folder, 'agents'))
      const folder = realpathSync(join(trial.folder, 'agents'))
      const home = new Sandboxes(folder, async () => 'sealed')
      await home.prepare()
      cleanup(() => home.close())
      const words = ['--import=@poppinss/ts-exec', PROBING, folder, ...PROBES.map(String)]
      const mosaic = spawn(process.execPath, words, { stdio: 'ignore' })
      const ended = once(mosaic, 'exit')

      const [peer] = await until(async () => {
        const pids = await table.ofUser(PROBES[0])
        return pids.length > 0 && pids
      })
      const { parent: launcher } = table.find(peer)!
      mosaic.kill('SIGKILL')
      assert.deepEqual(await ended, [null, 'SIGKILL'])
      await until(async () => (await table.ofUser(PROBES[0])).length === 0)
      await until(async () => table.find(launcher) === null)
    })

    test('of an agent ends with the launcher that tells of its end', async ({ assert }) => {
      const driver = await trial.open(HERE)
      const instance = await trial.start(trial.spec())
      assert.include(processesOf(trial.folder), Number(instance.id), 'by what it has mounted')
      const { parent: launcher } = table.find(Number(instance.id))!
      process.kill(launcher, 'SIGKILL')
      await trial.ended(instance)
      assert.isNull(table.find(Number(instance.id)))
      assert.equal((await driver.inspect(instance))!.status, 'exited')
    })
  })
}
