import type { RuntimeCapabilities } from '#runtimes/contract'
import { cgroupAbilities } from '#runtimes/drivers/process/sandbox/cgroups'

/** Returns what the driver can do here, given the machine and Mosaic's rights on it. */
export function capabilitiesOf(
  sandboxed: boolean,
  ownUsers: boolean,
  cgroups?: false
): RuntimeCapabilities {
  const abilities = sandboxed && cgroups !== false ? cgroupAbilities() : null
  return {
    isolation: sandboxed ? 'sandbox' : ownUsers ? 'user' : 'none',
    suspend: true,
    pageOut: abilities?.pageOut ?? false,
    limits: abilities?.limits ?? false,
    multiNode: false,
    events: true,
  }
}
