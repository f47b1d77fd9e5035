import { eventTests } from '#tests/contracts/runtime/events'
import { isolationTests } from '#tests/contracts/runtime/isolation'
import { limitTests } from '#tests/contracts/runtime/limits'
import { nodeTests } from '#tests/contracts/runtime/nodes'
import { observingTests } from '#tests/contracts/runtime/observing'
import { pagingTests } from '#tests/contracts/runtime/paging'
import { RuntimeStage } from '#tests/contracts/runtime/stage'
import { startingTests } from '#tests/contracts/runtime/starting'
import { stoppingTests } from '#tests/contracts/runtime/stopping'
import { suspendingTests } from '#tests/contracts/runtime/suspending'
import type { RuntimeSuite } from '#tests/contracts/runtime/trial'
import type { SuiteTest } from '#tests/contracts/suite'

export type {
  EngineGaps,
  InstanceTrial,
  RuntimeSuite,
  RuntimeTrial,
} from '#tests/contracts/runtime/trial'

/**
 * The contract of a runtime driver, as tests:
 *
 *   import { test } from '@japa/runner'
 *   runtimeSuite(test, { name: 'acme', capabilities, prepare: () => AcmeTrial.prepare() })
 */
export function runtimeSuite(test: SuiteTest, suite: RuntimeSuite): void {
  test.group(`Runtime contract | ${suite.name}`, (group) => {
    const stage = new RuntimeStage(suite)
    group.each.setup(stage.open)

    startingTests(test, stage)
    observingTests(test, stage)
    stoppingTests(test, stage)
    isolationTests(test, stage)
    if (suite.capabilities.limits) limitTests(test, stage)
    if (suite.capabilities.suspend) suspendingTests(test, stage)
    if (suite.swap) pagingTests(test, stage, suite.swap)
    if (suite.capabilities.events) eventTests(test, stage)
    if (suite.hasNodes) nodeTests(test, stage)
  })
}
