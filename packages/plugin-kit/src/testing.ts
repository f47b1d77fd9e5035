/** Suites that verify a plugin, and the doubles they need. They take the `test` of your own Japa. */
export type { SuiteTest } from '../../../tests/contracts/suite.js'
export {
  runtimeSuite,
  type EngineGaps,
  type InstanceTrial,
  type RuntimeSuite,
  type RuntimeTrial,
} from '../../../tests/contracts/runtime.js'
export { runtimeDataSuite, type RuntimeDataSuite } from '../../../tests/contracts/runtime_data.js'
export {
  hostileAgentSuite,
  type HostileAgentSuite,
  type HostileTrial,
} from '../../../tests/contracts/runtime_hostile.js'
export { llmAdapterSuite, type LlmAdapterSuite } from '../../../tests/contracts/llm.js'
export { vaultSuite, type VaultSuite, type VaultTrial } from '../../../tests/contracts/vault.js'

/** For runtimes: a complete trial and its parts. */
export { impostorOf, type Impostor } from '../../../tests/contracts/impostor.js'
export {
  launchTrial,
  LAUNCHER,
  type LaunchTrial,
  type LaunchTrialInput,
} from '../../../tests/contracts/launch_trial.js'
export { doubleWithin } from '../../../tests/contracts/double_within.js'
export { AgentDocuments } from '../../../tests/doubles/agent_documents.js'
export { installFakeOpenclaw, type FakeBehaviour } from '../../../tests/doubles/fake_openclaw.js'
export { fetchBy } from '../../../tests/contracts/gateway_fetch.js'
export {
  MemoryDriver,
  type MemoryDriverConfig,
} from '../../../tests/doubles/memory_runtime/driver.js'
export { ChaosDriver } from '../../../tests/doubles/chaos_driver.js'
export { plantIn } from '../../../tests/doubles/memory_runtime/plant.js'
export { MemoryWorld } from '../../../tests/doubles/memory_runtime/world.js'

/** For LLM adapters: a scripted service on loopback. */
export {
  LoopbackService,
  type Received,
  type Reply,
} from '../../../tests/contracts/loopback_service.js'
export { createGuardedFetch } from '../../../app/llm/guarded_fetch.js'
