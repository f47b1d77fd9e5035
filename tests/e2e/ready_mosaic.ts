import { Api } from '#tests/e2e/api'
import type { MosaicProcess } from '#tests/e2e/mosaic_process'

/** A running Mosaic, wherever it runs. */
export interface RunningMosaic {
  url: string
  setupLink: string
  aceJson<Result>(...args: string[]): Promise<Result>
}

const ACCOUNT = { username: 'admin', password: 'a-password-from-outside' }

/** The provider of the first admin's agent. */
export interface FirstProvider {
  type: string
  baseUrl?: string
  apiKey?: string
  model: string
}

/** Migrates, starts and sets up a prepared Mosaic. Returns the API as its first admin. */
export async function setUp(mosaic: MosaicProcess, provider: FirstProvider): Promise<Api> {
  await mosaic.ace('migration:run', '--force')
  await mosaic.ace('settings:set', 'network.allowedRanges', '["127.0.0.0/8"]')
  await mosaic.start()
  return answerWizard(mosaic, provider)
}

/** Completes the wizard as its pages do. Returns the API as the first admin. */
export async function answerWizard(mosaic: RunningMosaic, provider: FirstProvider): Promise<Api> {
  const setupToken = new URL(mosaic.setupLink).searchParams.get('token')
  const anyone = new Api(mosaic.url, null)
  await anyone.ask('POST', '/api/v1/onboarding/breakglass', { setupToken, ...ACCOUNT })

  const { token } = await mosaic.aceJson<{ token: string }>('token:create', ACCOUNT.username)
  const admin = new Api(mosaic.url, token)
  const { model, ...connection } = provider
  await admin.ask('POST', '/api/v1/onboarding/auth', { skip: true })
  await admin.ask('POST', '/api/v1/onboarding/provider', {
    ...connection,
    name: 'work',
    displayName: 'Work',
    models: [{ id: model, name: model }],
    primaryModel: model,
  })
  await admin.ask('POST', '/api/v1/onboarding/system-agents', { skip: true })
  await admin.ask('POST', '/api/v1/onboarding/complete', {})
  return admin
}
