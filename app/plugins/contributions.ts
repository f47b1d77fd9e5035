import { E_PLUGIN_NOT_REGISTERED } from '#plugins/errors'
import type { Managers } from '#plugins/managers'
import { byKind, type ContributionKind, type Contributions } from '#plugins/manifest'
import type { InstalledPlugin } from '#plugins/plugins_folder'

const NOTHING = byKind(() => [])

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
): [kind: ContributionKind, names: string[]] | null {
  if (problem || !brings || !hasBooted) return null
  const absent = Object.entries(without(brings, registeredIn(managers)))
  const found = absent.find(([, names]) => names.length > 0)
  return (found as [ContributionKind, string[]] | undefined) ?? null
}

/** Returns the contributions that are not among the others. */
export function without(some: Contributions, others: Contributions): Contributions {
  return byKind((kind) => some[kind].filter((name) => !others[kind].includes(name)))
}

function both(one: Contributions, other: Contributions): Contributions {
  return byKind((kind) => [...one[kind], ...other[kind]])
}

function registeredIn(managers: Managers): Contributions {
  return byKind((kind) => managers[kind].extensions())
}

/** Returns the registered contributions that no manifest names. */
function unclaimedBy(managers: Managers, plugins: readonly InstalledPlugin[]): Contributions {
  const claimed = plugins.flatMap(({ brings }) => brings ?? [])
  return claimed.reduce(without, registeredIn(managers))
}
