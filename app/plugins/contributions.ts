import type { Managers } from '#plugins/managers'
import type { Contributions } from '#plugins/manifest'
import type { InstalledPlugin } from '#plugins/plugins_folder'

const NOTHING: Contributions = { runtimes: [], adapters: [], vaults: [] }

/**
 * What each plugin brings: what its manifest says, else whatever plugins registered here that no other manifest
 * claims. So of several that say nothing each is taken to bring all of that: better kept than missed.
 */
export function contributions(
  { runtimes, adapters, vaults }: Managers,
  plugins: readonly InstalledPlugin[]
): Map<string, Contributions> {
  const registered: Contributions = {
    runtimes: runtimes.extensions(),
    adapters: adapters.extensions(),
    vaults: vaults.extensions(),
  }
  const claimed = plugins.flatMap(({ brings }) => brings ?? [])
  const rest = (kind: keyof Contributions) =>
    registered[kind].filter((name) => !claimed.some((brings) => brings[kind].includes(name)))
  const unclaimed = {
    runtimes: rest('runtimes'),
    adapters: rest('adapters'),
    vaults: rest('vaults'),
  }
  return new Map(
    plugins.map(({ name, brings, problem }) => [name, brings ?? (problem ? NOTHING : unclaimed)])
  )
}
