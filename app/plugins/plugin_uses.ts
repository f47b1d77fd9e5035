import { sealedValues } from '#installation/sealed_values'
import LlmProvider from '#models/llm_provider'
import SystemContainer from '#models/system_container'
import UserContainer from '#models/user_container'
import type { Managers } from '#plugins/managers'
import type { Contributions } from '#plugins/manifest'
import type { Settings } from '#settings/settings'

/** Something that needs a plugin, and how it comes to need it no more. */
export interface PluginUse {
  message: string
  hint: string
}

/** Everything of this installation that needs what a plugin brings. Empty: it can go. */
export async function usesOf(
  managers: Managers,
  settings: Pick<Settings, 'get'>,
  { runtimes, adapters, vaults }: Contributions
): Promise<PluginUse[]> {
  const chosen = await settings.get('runtime.driver')
  const uses: PluginUse[] = []
  for (const name of runtimes) uses.push(...(await usesOfRuntime(managers, chosen, name)))
  for (const type of adapters) uses.push(...(await usesOfAdapter(type)))
  for (const name of vaults) uses.push(...(await usesOfVault(managers, name)))
  return uses
}

/**
 * What rows name that is not installed: what a plugin may have brought that does not say, and was left out. `name`
 * stands for a vault, which no value names.
 */
export async function missingContributions(
  { runtimes, adapters }: Managers,
  name: string
): Promise<Contributions> {
  const named = await Promise.all(
    [UserContainer, SystemContainer].map((model) =>
      model.query().distinct('runtime').whereNotNull('runtime')
    )
  )
  const types = await LlmProvider.query().distinct('type')
  return {
    runtimes: [...new Set(named.flat().map(({ runtime }) => runtime!))].filter(
      (runtime) => !runtimes.names().includes(runtime)
    ),
    adapters: types.map(({ type }) => type).filter((type) => !adapters.has(type)),
    vaults: [name],
  }
}

/** Agents that sleep count as well: their data is there. */
async function usesOfRuntime(
  { runtimes }: Managers,
  chosen: string,
  name: string
): Promise<PluginUse[]> {
  const other = runtimes.names().find((one) => one !== name)
  const choose = `node ace settings:set runtime.driver ${other}`
  const uses: PluginUse[] = []
  if (chosen === name) {
    uses.push({
      message: `The settings choose the runtime "${name}".`,
      hint: `Choose another: ${choose}`,
    })
  }
  const rows = [UserContainer, SystemContainer].map((model) =>
    model.query().where('runtime', name).count('* as total').first()
  )
  const counts = await Promise.all(rows)
  const agents = counts.reduce((sum, row) => sum + Number(row!.$extras.total), 0)
  if (agents > 0) {
    uses.push({
      message: `Agents whose data is in the runtime "${name}": ${agents}.`,
      hint: `Start each once while another runtime is chosen (${choose}): its data moves along.`,
    })
  }
  return uses
}

async function usesOfAdapter(type: string): Promise<PluginUse[]> {
  const row = await LlmProvider.query().where('type', type).count('* as total').first()
  const total = Number(row!.$extras.total)
  if (total === 0) return []
  return [
    {
      message: `Providers of the kind "${type}": ${total}.`,
      hint: 'Have their owners delete them under Settings → Providers.',
    },
  ]
}

/** Where the vault itself is not loaded, whatever no vault knows counts as its own. */
async function usesOfVault({ vaults }: Managers, name: string): Promise<PluginUse[]> {
  if (vaults.defaultName === name) {
    return [
      {
        message: `The vault "${name}" is the one that seals.`,
        hint: 'Unset VAULT_DRIVER, restart Mosaic, and run: node ace vault:rotate',
      },
    ]
  }
  const isLoaded = vaults.names().includes(name)
  let total = 0
  for await (const { sealed, context } of sealedValues()) {
    const needed = isLoaded
      ? await vaults.dependsOn(name, sealed, context)
      : !(await vaults.knows(sealed))
    if (needed) total++
  }
  if (total === 0) return []
  return [
    {
      message: `Secrets that only the vault "${name}" opens: ${total}.`,
      hint: 'Move them to the vault in use: node ace vault:rotate',
    },
  ]
}
