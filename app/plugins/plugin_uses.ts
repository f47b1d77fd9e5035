import { sealedValues } from '#installation/sealed_values'
import LlmProvider from '#models/llm_provider'
import SignInService from '#models/sign_in_service'
import SystemContainer from '#models/system_container'
import UserContainer from '#models/user_container'
import { E_PLUGIN_USES_UNKNOWN } from '#plugins/errors'
import type { Managers } from '#plugins/managers'
import type { Contributions } from '#plugins/manifest'
import type { Settings } from '#settings/settings'

/** A use of a plugin, and how to end it. */
export interface PluginUse {
  message: string
  hint: string
}

/**
 * Returns everything in this installation that needs these contributions. If empty, the plugin can be
 * uninstalled.
 */
export async function usesOf(
  managers: Managers,
  settings: Pick<Settings, 'get'>,
  { runtimes, adapters, vaults, services }: Contributions
): Promise<PluginUse[]> {
  const chosen = await settings.get('runtime.driver')
  const uses: PluginUse[] = []
  for (const name of runtimes) uses.push(...(await usesOfRuntime(managers, chosen, name)))
  for (const type of adapters) uses.push(...(await usesOfAdapter(type)))
  for (const name of vaults) uses.push(...(await usesOfVault(managers, name)))
  for (const name of services) uses.push(...(await usesOfService(managers, name)))
  return uses
}

/**
 * Returns the uninstalled contributions that rows refer to. A plugin that was left out and declares nothing
 * may have provided them. `name` is used as the vault, because sealed values do not name theirs. Sign-in services
 * are left out: see `usesOfService`.
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
    services: [],
  }
}

/** Returns a runtime's uses. Sleeping agents count too: their data is there. */
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

/**
 * Returns a sign-in service's uses. None if it is not loaded: nobody can sign in there as it is, its settings stay,
 * and no page could switch it off.
 */
async function usesOfService({ services }: Managers, name: string): Promise<PluginUse[]> {
  const service = services.find(name)
  if (!service || !(await SignInService.findBy({ name, isActive: true }))) return []
  return [
    {
      message: `People may sign in with ${service.label}.`,
      hint: 'See that they can sign in another way, then switch it off under Administration → Sign-in.',
    },
  ]
}

/**
 * Returns a vault's uses. If the vault is not loaded, every value that no vault recognizes counts as its own.
 *
 * @throws E_PLUGIN_USES_UNKNOWN if the vault cannot be created
 */
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
  if (isLoaded) {
    await vaults.use(name).catch((error: unknown) => {
      throw new E_PLUGIN_USES_UNKNOWN(name, error as Error)
    })
  }
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
