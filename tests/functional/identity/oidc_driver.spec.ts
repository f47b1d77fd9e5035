import { test } from '@japa/runner'
import app from '@adonisjs/core/services/app'
import testUtils from '@adonisjs/core/services/test_utils'
import settings from '#settings/services/main'
import { oidcConfig } from '#identity/oidc/config'
import { OidcDriver } from '#identity/oidc/driver'
import { newPending } from '#identity/services/pending'
import { RogueIssuer } from '#tests/doubles/rogue_issuer'

const ADA = { sub: 'ada', name: 'Ada Lovelace', email: 'ada@example.test', email_verified: true }

/** A driver for a callback with this query, and the pending sign-in that it belongs to. */
async function driverFor(query: Record<string, string> = {}, pending = pendingOf()) {
  const ctx = await testUtils.createHttpContext()
  ctx.request.parsedUrl.query = new URLSearchParams(query).toString()
  const client = await app.container.make('identity.oidc.client')
  const provider = await oidcConfig(settings)
  return new OidcDriver(ctx, { client, provider: provider!, pending })
}

const pendingOf = () =>
  newPending({ fingerprint: 'of the settings' }, 'http://mosaic.test/auth/oidc/callback')

test.group('The OpenID provider as a driver of Ally', (group) => {
  let issuer: RogueIssuer

  group.each.setup(() => testUtils.db().wrapInGlobalTransaction())
  group.each.setup(async () => {
    issuer = await RogueIssuer.start()
    await settings.set('network.allowedRanges', ['127.0.0.0/8'])
    await settings.set('oidc.issuerUrl', issuer.url)
    await settings.set('oidc.clientId', RogueIssuer.CLIENT.clientId)
    await settings.set('oidc.clientSecret', RogueIssuer.CLIENT.clientSecret)
    return () => issuer.close()
  })

  test('sends the browser to the provider, with what a caller adds', async ({ assert }) => {
    const driver = await driverFor()
    const url = new URL(await driver.redirectUrl((request) => request.param('ui_locales', 'en')))
    assert.equal(url.origin + url.pathname, `${issuer.url}/authorize`)
    assert.equal(url.searchParams.get('ui_locales'), 'en')
    assert.equal(url.searchParams.get('state'), driver.config.pending.state)
    assert.throws(() => driver.stateless(), /always has a state/)
  })

  test('gives the person in the shape of Ally', async ({ assert }) => {
    const pending = pendingOf()
    const begun = await driverFor({}, pending)
    const back = issuer.as(ADA).visit(await begun.redirectUrl())
    const user = await (await driverFor(back, pending)).user()
    assert.containsSubset(user, {
      id: 'ada',
      name: 'Ada Lovelace',
      email: 'ada@example.test',
      emailVerificationState: 'verified',
      original: { iss: issuer.url, aud: 'mosaic' },
    })
    assert.lengthOf(user.token.idToken.split('.'), 3)
    await assert.rejects(() => begun.userFromToken(), /id_token alone/)
  })

  test('tells what the provider answered', async ({ assert }) => {
    const denied = await driverFor({ error: 'access_denied', state: 'of another browser' })
    assert.isTrue(denied.hasError() && denied.accessDenied() && denied.stateMisMatch())
    assert.isFalse(denied.hasCode())
    const { pending } = denied.config
    const good = await driverFor({ code: 'a code', state: pending.state }, pending)
    assert.isFalse(good.hasError() || good.stateMisMatch())
    assert.equal(good.getCode(), 'a code')
    assert.equal((await driverFor()).getError(), 'unknown_error')
  })
})
