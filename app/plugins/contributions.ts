import { E_PLUGIN_NOT_REGISTERED } from '#plugins/errors'
import type { Managers } from '#plugins/managers'
import type { Contributions } from '#plugins/manifest'
import type { InstalledPlugin } from '#plugins/plugins_folder'

const NOTHING: Contributions = { runtimes: [], adapters: [], vaults: [] }

const KINDS = ['runtimes', 'adapters', 'vaults'] as const

/**
 * Returns each plugin's contributions: those in its manifest, or else everything registered that no manifest
 * claims. So each of several plugins without a declaration is credited with all of that, which errs on the
 * side of keeping a plugin. The same applies if a manifest misspells a name.
 */
export function contributions(
  managers: Managers,
  plugins: readonly InstalledPlugin[]
): Map<string, Contributions> {
  const unclaimed = unclaimedBy(managers, plugins)
  return new Map(
    plugins.map((plugin) => {
      const { name, brings, problem } = plugin
      if (!brings) return [name, problem ? NOTHING : unclaimed]
      return [name, absentOf(managers, plugin) ? both(brings, unclaimed) : brings]
    })
  )
}

/** Returns a plugin's problem: why it was left out, or which declared names it did not register. */
export function problemOf(
  managers: Managers,
  plugins: readonly InstalledPlugin[],
  plugin: InstalledPlugin
): Error | null {
  const absent = absentOf(managers, plugin)
  if (!absent) return plugin.problem
  return new E_PLUGIN_NOT_REGISTERED(plugin.name, absent, unclaimedBy(managers, plugins)[absent[0]])
}

/** Returns the first kind with names that a booted plugin declared but did not register, and these names. */
function absentOf(
  managers: Managers,
  { problem, brings, hasBooted }: InstalledPlugin
): [kind: keyof Contributions, names: string[]] | null {
  if (problem || !brings || !hasBooted) return null
  const registered = registeredIn(managers)
  for (const kind of KINDS) {
    const names = brings[kind].filter((one) => !registered[kind].includes(one))
    if (names.length > 0) return [kind, names]
  }
  return null
}

/** Returns the declared contributions that another version of the same plugin declares no more. */
export function without(former: Contributions, present: Contributions): Contributions {
  const lost = (kind: keyof Contributions) =>
    former[kind].filter((name) => !present[kind].includes(name))
  return { runtimes: lost('runtimes'), adapters: lost('adapters'), vaults: lost('vaults') }
}

function both(one: Contributions, other: Contributions): Contributions {
  return {
    runtimes: [...one.runtimes, ...other.runtimes],
    adapters: [...one.adapters, ...other.adapters],
    vaults: [...one.vaults, ...other.vaults],
  }
}

function registeredIn({ runtimes, adapters, vaults }: Managers): Contributions {
  return {
    runtimes: runtimes.extensions(),
    adapters: adapters.extensions(),
    vaults: vaults.extensions(),
  }
}

/** Returns the registered contributions that no manifest names. */
function unclaimedBy(managers: Managers, plugins: readonly InstalledPlugin[]): Contributions {
  const registered = registeredIn(managers)
  const claimed = plugins.flatMap(({ brings }) => brings ?? [])
  const rest = (kind: keyof Contributions) =>
    registered[kind].filter((name) => !claimed.some((brings) => brings[kind].includes(name)))
  return { runtimes: rest('runtimes'), adapters: rest('adapters'), vaults: rest('vaults') }
}
