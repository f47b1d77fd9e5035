import { E_PLUGIN_NOT_REGISTERED } from '#plugins/errors'
import type { Managers } from '#plugins/managers'
import type { Contributions } from '#plugins/manifest'
import type { InstalledPlugin } from '#plugins/plugins_folder'

const NOTHING: Contributions = { runtimes: [], adapters: [], vaults: [] }

const KINDS = ['runtimes', 'adapters', 'vaults'] as const

/**
 * What each plugin brings: what its manifest says, else whatever plugins registered here that no other manifest
 * claims. So of several that say nothing each is taken to bring all of that: better kept than missed.
 */
export function contributions(
  managers: Managers,
  plugins: readonly InstalledPlugin[]
): Map<string, Contributions> {
  const unclaimed = unclaimedBy(managers, plugins)
  return new Map(
    plugins.map(({ name, brings, problem }) => [name, brings ?? (problem ? NOTHING : unclaimed)])
  )
}

/** What keeps a plugin from being what it says: why it was left out, or names that it declares and does not register. */
export function problemOf(
  managers: Managers,
  plugins: readonly InstalledPlugin[],
  { name, problem, brings, hasBooted }: InstalledPlugin
): Error | null {
  if (problem || !brings || !hasBooted) return problem
  const registered = registeredIn(managers)
  for (const kind of KINDS) {
    const absent = brings[kind].filter((one) => !registered[kind].includes(one))
    if (absent.length === 0) continue
    return new E_PLUGIN_NOT_REGISTERED(name, [kind, absent], unclaimedBy(managers, plugins)[kind])
  }
  return null
}

function registeredIn({ runtimes, adapters, vaults }: Managers): Contributions {
  return {
    runtimes: runtimes.extensions(),
    adapters: adapters.extensions(),
    vaults: vaults.extensions(),
  }
}

/** What plugins registered and no manifest names. */
function unclaimedBy(managers: Managers, plugins: readonly InstalledPlugin[]): Contributions {
  const registered = registeredIn(managers)
  const claimed = plugins.flatMap(({ brings }) => brings ?? [])
  const rest = (kind: keyof Contributions) =>
    registered[kind].filter((name) => !claimed.some((brings) => brings[kind].includes(name)))
  return { runtimes: rest('runtimes'), adapters: rest('adapters'), vaults: rest('vaults') }
}
