import type { ApplicationService } from '@adonisjs/core/types'
import type { LlmAdapter } from '@mosaic/plugin-kit/llm'
import type {
  RuntimeCapabilities,
  RuntimeDriver,
  RuntimeOption,
  RuntimeOptionValues,
} from '@mosaic/plugin-kit/runtime'
import type { VaultDriver } from '@mosaic/plugin-kit/vault'

/** A driver, and the same without one of its verbs. */
interface Given {
  runtime: RuntimeDriver
  runtimeWithoutPurge: Omit<RuntimeDriver, 'purge'>
  vault: VaultDriver
  vaultWithoutReseal: Omit<VaultDriver, 'reseal'>
  adapter: LlmAdapter
  adapterWithoutAuthorize: Omit<LlmAdapter, 'authorize'>
}

const REGION = { name: 'region', label: 'Region' } as const
const OPTIONS = [
  { ...REGION, type: 'text' },
  { name: 'size', label: 'Size', type: 'number', default: 1 },
] as const satisfies RuntimeOption[]

/** The values have the types of their options. */
export function sizeIn({ region, size }: RuntimeOptionValues<typeof OPTIONS>): number {
  // @ts-expect-error A text that nobody set is null.
  region.trim()
  return size + 1
}

export async function extend(app: ApplicationService, given: Given) {
  const runtimes = await app.container.make('runtime.manager')
  runtimes.extend('acme', () => given.runtime)
  runtimes.extend('acme', async ({ installation, launch }) => {
    console.log(installation, launch.storage, launch.launcher, launch.node, launch.openclaw())
    return given.runtime
  })
  runtimes.extend('acme', () => given.runtime, { options: OPTIONS })
  // @ts-expect-error There is no option of this kind.
  runtimes.extend('acme', () => given.runtime, { options: [{ ...REGION, type: 'colour' }] })
  // @ts-expect-error A number needs a default.
  runtimes.extend('acme', () => given.runtime, { options: [{ ...REGION, type: 'number' }] })
  // @ts-expect-error A runtime needs all of its verbs.
  runtimes.extend('acme', () => given.runtimeWithoutPurge)

  const vaults = await app.container.make('vault.manager')
  vaults.extend('acme', () => given.vault)
  // @ts-expect-error A vault needs all of its verbs.
  vaults.extend('acme', () => given.vaultWithoutReseal)

  const adapters = await app.container.make('llm.registry')
  adapters.extend('acme', () => given.adapter)
  // @ts-expect-error An adapter needs all of its verbs.
  adapters.extend('acme', () => given.adapterWithoutAuthorize)
}

// @ts-expect-error Two of its verbs are missing.
export class Unfinished implements VaultDriver {
  readonly name = 'unfinished'

  async seal() {
    return 'enc:'
  }

  async open() {
    return ''
  }

  keyId() {
    return null
  }
}

export const capabilities: RuntimeCapabilities = {
  // @ts-expect-error There is no isolation of this kind.
  isolation: 'vm-of-mine',
  suspend: false,
  limits: false,
  multiNode: false,
  events: false,
}
