import type { RuntimeCapabilities } from '#runtimes/contract'
import { cgroupsLimit } from '#runtimes/drivers/process/sandbox/cgroups'

/** Returns what the driver can do here, given the machine and Mosaic's rights on it. */
export function capabilitiesOf(
  sandboxed: boolean,
  ownUsers: boolean,
  cgroups?: false
): RuntimeCapabilities {
  return {
    isolation: sandboxed ? 'sandbox' : ownUsers ? 'user' : 'none',
    suspend: true,
    limits: sandboxed && cgroups !== false && cgroupsLimit(),
    multiNode: false,
    events: true,
  }
}
