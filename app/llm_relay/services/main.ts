import app from '@adonisjs/core/services/app'
import type { LlmRelay } from '#llm_relay/relay'
import type { ProviderFailures } from '#llm_relay/provider_failures'

let relay: LlmRelay
let failures: ProviderFailures

/** The application's relay, created by `providers/openclaw_provider.ts`. */
await app.booted(async () => {
  relay = await app.container.make('llm_relay')
  failures = await app.container.make('llm_relay.failures')
})

export { relay as default, failures }
