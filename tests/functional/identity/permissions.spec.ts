import { test } from '@japa/runner'
import app from '@adonisjs/core/services/app'
import testUtils from '@adonisjs/core/services/test_utils'
import settings from '#settings/services/main'
import { UserFactory } from '#database/factories/user_factory'
import { PERMISSIONS, may, permissionsOf, proofFor } from '#identity/permissions'

test.group('What one may do', (group) => {
  group.each.setup(() => testUtils.db().wrapInGlobalTransaction())
  group.each.setup(() => settings.set('onboarding.completed', true))

  test('is everything for admins, what is their own for members, nothing for nobody', ({
    assert,
  }) => {
    for (const permission of PERMISSIONS) {
      assert.isTrue(may({ role: 'admin' }, permission))
      assert.equal(may({ role: 'member' }, permission), permission === 'makeTokens')
      assert.isFalse(may(null, permission))
    }
  })

  test('asks for a session with a fresh proof where credentials are made or raised', ({
    assert,
  }) => {
    const fresh = PERMISSIONS.filter((permission) => proofFor(permission) === 'freshSession')
    assert.sameMembers(fresh, ['manageUsers', 'manageSignIn', 'makeTokens'])
  })

  test('is told to the pages by the layer that guards the routes', async ({ assert, client }) => {
    for (const role of ['admin', 'member'] as const) {
      const user = await UserFactory.merge({ role }).create()
      const tokens = await app.container.make('identity.tokens')
      const token = (await tokens.create(user, { name: 'test' })).value!.release()
      const page = await client.get('/chat').bearerToken(token)
      const props = page.text().replaceAll('&quot;', '"')
      assert.include(props, `"can":${JSON.stringify(permissionsOf(user))}`)
      const users = await client.get('/admin/users').bearerToken(token)
      assert.equal(users.status(), may(user, 'seeUsers') ? 200 : 403)
    }
  })
})
