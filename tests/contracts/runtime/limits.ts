import { DEADLINE_MS, type RuntimeStage } from '#tests/contracts/runtime/stage'
import type { SuiteTest } from '#tests/contracts/suite'

/** Starts twice as many processes as a test allows, and prints how many it got. */
const TOO_MANY_PROCESSES = `
  const { spawn } = require('node:child_process')
  const all = Array.from({ length: 128 }, () => spawn('sleep', ['30'], { stdio: 'ignore' }))
  for (const one of all) one.on('error', () => {})
  setTimeout(() => {
    console.log(all.filter(({ pid }) => pid).length)
    for (const one of all) one.kill('SIGKILL')
  }, 500)`

/** Limits of memory, processor time and processes. */
export function limitTests(test: SuiteTest, stage: RuntimeStage): void {
  const { spec, start, chat, answers, observedAs } = stage

  const limits = { memoryMb: 192, cpus: 0.5, processes: 64 }

  test('holds an instance to its processes', async ({ assert }) => {
    const instance = await start(spec({ limits }))
    const { output } = await stage.trial.within!.run(instance, `node -e "${TOO_MANY_PROCESSES}"`)
    assert.isAtLeast(Number(output), 1)
    assert.isBelow(Number(output), limits.processes)
    assert.isTrue(await answers(instance.endpoint, DEADLINE_MS))
  })

  test('holds an instance to its processor time', async ({ assert }) => {
    const instance = await start(spec({ limits }))
    const { output } = await stage.trial.within!.run(
      instance,
      `node -e "const end = Date.now() + 2000; while (Date.now() < end); console.log(process.cpuUsage().user / 1e6)"`
    )
    // Half a core for two seconds, plus margin for the periods at both ends.
    assert.isBelow(Number(output), 1.5)
  })

  test('ends an instance that takes more memory than it may, and tells', async ({ assert }) => {
    const given = spec({ limits })
    const instance = await start(given)
    await stage.trial.within!.takeMemory(instance, 4 * limits.memoryMb).catch(() => {})
    const observed = await observedAs(instance.name, 'exited', assert)
    assert.equal(observed.outOfMemory, !stage.gaps.outOfMemory)
    const reason = stage.gaps.outOfMemory ? 'exited_early' : 'out_of_memory'
    assert.equal(observed.failure?.reason, reason)

    assert.equal(await chat(await start(given), given, 'again'), 'Turn 1: again')
  })

  test('keeps what one instance takes from the others', async ({ assert }) => {
    const neighbour = spec({ limits })
    const [hungry, other] = await Promise.all([start(spec({ limits })), start(neighbour)])
    await stage.trial.within!.takeMemory(hungry, 4 * limits.memoryMb).catch(() => {})
    await observedAs(hungry.name, 'exited', assert)
    assert.equal(await chat(other, neighbour, 'unmoved'), 'Turn 1: unmoved')
  })
}
