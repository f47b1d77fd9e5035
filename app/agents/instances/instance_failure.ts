import { isFailureReason, RuntimeError } from '#runtimes/errors'
import type { Observed } from '#runtimes/contract'

/** OpenClaw's exit status when it rejects its document. */
const EXIT_CONFIG_REJECTED = 78

/** An instance that should run has ended. */
export class InstanceEnded extends RuntimeError {}

/** Returns why an instance ended; `observed` is null if the instance no longer exists. */
export function instanceFailure(observed: Observed | null): InstanceEnded {
  if (!observed) return new InstanceEnded('exited_early', 'The instance is gone.')
  const { failure, exitCode, outOfMemory } = observed
  if (outOfMemory) return new InstanceEnded('out_of_memory', 'It was ended for want of memory.')
  if (exitCode === EXIT_CONFIG_REJECTED) {
    return new InstanceEnded('config_rejected', 'OpenClaw refused its document.')
  }
  if (failure) {
    const reason = isFailureReason(failure.reason) ? failure.reason : 'internal'
    return new InstanceEnded(reason, failure.message)
  }
  return new InstanceEnded(
    'exited_early',
    `The instance ended with status ${exitCode ?? 'unknown'}.`
  )
}
