import { setTimeout as after } from 'node:timers/promises'
import type { Instance } from '#runtimes/contract'
import type { RuntimeStage } from '#tests/contracts/runtime/stage'
import type { TrialSwap } from '#tests/contracts/runtime/trial'
import type { SuiteTest } from '#tests/contracts/suite'

const LOOK_MS = 5
const MB = 1024 * 1024
const HELD_MB = 160
const ROOMY_MB = 320
const REASON = 'Only root can add swap, on a kernel and a file system that allow it.'
/** Less than the instance holds. */
const TIGHT_MB = 64

/** Page-outs to real swap, where tests may add some. */
export function pagingTests(test: SuiteTest, stage: RuntimeStage, swap: TrialSwap): void {
  const { spec, start, chat } = stage
  const { signal } = new AbortController()
  const isImpossible = () => !swap.isPossible()
  const usage = async (instance: Instance) =>
    (await stage.driver.usage?.(instance)) ?? { resident: 0, swapped: 0 }

  /** Starts an instance that holds memory, has chatted and is suspended. */
  const suspended = async () => {
    const given = spec({ limits: { memoryMb: 512, cpus: 1, processes: 64 } })
    const instance = await start(given)
    await stage.trial.within!.takeMemory(instance, HELD_MB)
    await chat(instance, given, 'before')
    await stage.driver.suspend!(instance)
    return { given, instance }
  }

  test('moves the memory of a suspended instance to swap, and it goes on', async ({
    assert,
    cleanup,
  }) => {
    cleanup(swap.add(ROOMY_MB))
    const { given, instance } = await suspended()
    await stage.driver.pageOut!(instance, { signal })
    const { resident, swapped } = await usage(instance)
    assert.isAbove(swapped, HELD_MB * MB * 0.8)
    assert.isBelow(resident, HELD_MB * MB * 0.5)

    await stage.driver.resume!(instance)
    assert.equal(await chat(instance, given, 'after'), 'Turn 2: after')
  }).skip(isImpossible, REASON)

  test('a page-out with memory in swap already gives way to a resume', async ({
    assert,
    cleanup,
  }) => {
    cleanup(swap.add(ROOMY_MB))
    const { given, instance } = await suspended()
    const pageOut = stage.driver.pageOut!(instance, { signal })
    while ((await usage(instance)).swapped === 0) await after(LOOK_MS)
    await stage.driver.resume!(instance)
    await pageOut
    assert.equal((await stage.driver.inspect(instance))!.status, 'running')
    assert.equal(await chat(instance, given, 'after'), 'Turn 2: after')
  }).skip(isImpossible, REASON)

  test('a page-out ends when the swap is full, and the instance goes on', async ({
    assert,
    cleanup,
  }) => {
    cleanup(swap.add(TIGHT_MB))
    const { given, instance } = await suspended()
    await stage.driver.pageOut!(instance, { signal })
    assert.equal((await stage.driver.inspect(instance))!.status, 'suspended')
    const { resident, swapped } = await usage(instance)
    assert.isAtMost(swapped, TIGHT_MB * MB)
    assert.isAbove(resident, HELD_MB * MB * 0.5)

    await stage.driver.resume!(instance)
    assert.equal(await chat(instance, given, 'after'), 'Turn 2: after')
  }).skip(isImpossible, REASON)
}
