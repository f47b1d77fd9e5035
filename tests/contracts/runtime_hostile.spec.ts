import { test } from '@japa/runner'
import { ProcessDriver, type ProcessDriverConfig } from '#runtimes/drivers/process/driver'
import { usableRange } from '#runtimes/drivers/process/users'
import { impostorOf } from '#tests/contracts/impostor'
import { memoryTrial } from '#tests/contracts/memory_trial'
import { ProcessTrial } from '#tests/contracts/process_trial'
import { hostileAgentSuite, type HostileTrial } from '#tests/contracts/runtime_hostile'
import { MemoryDriver } from '#tests/doubles/memory_runtime/driver'

hostileAgentSuite(test, {
  name: 'memory',
  capabilities: new MemoryDriver().capabilities,
  prepare: memoryTrial,
})

/** @param onLoopback Whether neighbours can listen at gateway addresses */
function processes(title: string, change: Partial<ProcessDriverConfig>, onLoopback: boolean): void {
  const config = { storage: '', openclaw: [], entrypoint: '', ...change }
  const { capabilities } = new ProcessDriver(config, '')
  const prepare = async (): Promise<HostileTrial> => {
    const trial: HostileTrial = await ProcessTrial.prepare(change)
    if (onLoopback) trial.impersonate = impostorOf
    return trial
  }
  hostileAgentSuite(test, { name: title, capabilities, prepare })
}

processes('process', {}, !usableRange())
if (usableRange()) {
  processes('process, without sandboxes', { sandbox: false }, true)
  processes('process, all as one user', { users: false }, true)
}
