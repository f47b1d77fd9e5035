import { Api } from '#tests/e2e/api'
import type { MosaicProcess } from '#tests/e2e/mosaic_process'
import { Visitor } from '#tests/visitor'

/** A running Mosaic, wherever it runs. */
export interface RunningMosaic {
  url: string
  setupLink: string
}

export const ACCOUNT = { username: 'admin', password: 'a-password-from-outside' }

/** The provider of the first admin's agent. */
export interface FirstProvider {
  type: string
  baseUrl?: string
  apiKey?: string
  model: string
}

/**
 * Starts and sets up a prepared Mosaic, whose models may be on this machine. Returns the API as its first admin.
 *
 * @param settings Made before the first provider.
 * @param ofOperator Made on the command line, before it starts.
 */
export async function setUp(
  mosaic: MosaicProcess,
  provider: FirstProvider,
  settings: Record<string, unknown> = {},
  ofOperator: Record<string, unknown> = {}
): Promise<Api> {
  const onCommandLine = Object.entries(ofOperator)
  if (onCommandLine.length > 0) await mosaic.ace('migration:run', '--force')
  for (const [key, value] of onCommandLine) {
    await mosaic.ace('settings:set', key, JSON.stringify(value))
  }
  await mosaic.start()
  return answerWizard(mosaic, provider, { 'network.allowedRanges': ['127.0.0.0/8'], ...settings })
}

/** Completes the wizard as its pages do. Returns the API as the first admin. */
export async function answerWizard(
  mosaic: RunningMosaic,
  provider: FirstProvider,
  settings: Record<string, unknown> = {}
): Promise<Api> {
  const visitor = new Visitor({}, mosaic.url)
  const send = async (method: string, path: string, body: unknown) => {
    const answer = await visitor.send(method, path, body)
    if (answer.status < 300) return answer.body.data
    throw new Error(`${method} ${path} answered ${answer.status}: ${JSON.stringify(answer.body)}`)
  }
  const setupToken = new URL(mosaic.setupLink).searchParams.get('token')
  await send('POST', '/api/v1/onboarding/breakglass', { setupToken, ...ACCOUNT })
  if (Object.keys(settings).length > 0) await send('PATCH', '/api/v1/admin/settings', settings)
  const { token } = await send('POST', '/api/v1/tokens', { name: 'tests' })
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
