import { test } from '@japa/runner'
import app from '@adonisjs/core/services/app'
import testUtils from '@adonisjs/core/services/test_utils'
import { DateTime } from 'luxon'
import type User from '#models/user'
import SignInService from '#models/sign_in_service'
import UserContainer from '#models/user_container'
import settings from '#settings/services/main'
import { UserFactory } from '#database/factories/user_factory'
import { Visitor } from '#tests/visitor'

const PATH = '/api/v1/admin/checklist'

test.group('What is left to do after the set-up', (group) => {
  let admin: User
  let visitor: Visitor

  group.each.setup(() => testUtils.db().truncate())
  group.each.setup(async () => {
    await settings.set('onboarding.completed', true)
    await settings.set('runtime.driver', 'memory')
    admin = await UserFactory.apply('admin').create()
    const tokens = await app.container.make('identity.tokens')
    const token = await tokens.create(admin, { name: 'test' })
    visitor = new Visitor({ headers: { authorization: `Bearer ${token.value!.release()}` } })
  })

  async function open(): Promise<string[]> {
    const { body } = await visitor.get(PATH)
    const items: { name: string; done: boolean }[] = body.data.items
    return items.filter(({ done }) => !done).map(({ name }) => name)
  }

  test('begins with all that nobody has done', async ({ assert }) => {
    assert.deepEqual(await open(), ['firstAnswer', 'publicAddress', 'signIn', 'people', 'backup'])
  })

  test('is done as soon as it is so', async ({ assert }) => {
    await UserFactory.create()
    await settings.set('network.publicUrl', 'https://mosaic.example.org')
    await settings.set('oidc.issuerUrl', 'https://id.example.org')
    await UserContainer.create({
      userId: admin.id,
      containerName: 'mosaic-test',
      lastActiveAt: DateTime.now(),
    })
    assert.deepEqual(await open(), ['backup'])

    const { body } = await visitor.patch(PATH, { backup: true })
    assert.isTrue(body.data.items.every(({ done }: { done: boolean }) => done))
  })

  test('has its sign-in with any service that is switched on', async ({ assert }) => {
    const service = new SignInService()
    await service.merge({ name: 'github', clientId: 'mosaic', signUp: 'invited' }).save()
    assert.include(await open(), 'signIn')
    await service.merge({ isActive: true }).save()
    assert.notInclude(await open(), 'signIn')
  })

  test('tells that agents cannot start', async ({ assert }) => {
    await settings.set('runtime.driver', 'unheard-of')
    assert.include(await open(), 'runtime')
  })

  test('is hidden and shown again', async ({ assert }) => {
    assert.isTrue((await visitor.patch(PATH, { hidden: true })).body.data.hidden)
    assert.isFalse((await visitor.patch(PATH, { hidden: false })).body.data.hidden)
    assert.equal((await visitor.patch(PATH, { hidden: 'perhaps' })).status, 422)
  })
})
