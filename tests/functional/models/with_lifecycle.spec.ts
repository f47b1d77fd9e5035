import { Settings } from 'luxon'
import { test } from '@japa/runner'
import testUtils from '@adonisjs/core/services/test_utils'
import { UserFactory } from '#database/factories/user_factory'
import UserContainer from '#models/user_container'

test.group("An agent's row", (group) => {
  group.each.setup(() => testUtils.db().wrapInGlobalTransaction())
  group.each.setup(() => {
    const { now } = Settings
    const fixed = Date.now()
    Settings.now = () => fixed
    return () => void (Settings.now = now)
  })

  test('is saved twice within a millisecond, the second time with nothing new', async ({
    assert,
  }) => {
    const { id: userId } = await UserFactory.create()
    const state = { status: 'stopped', desired: 'stopped' } as const
    const row = await UserContainer.create({ userId, containerName: `mosaic-${userId}`, ...state })
    row.desired = 'running'
    assert.isTrue(await row.saveWhere({ desired: 'stopped' }))
    assert.isTrue(await row.saveWhere({ desired: 'running' }))
    assert.isFalse(await row.saveWhere({ desired: 'stopped' }))
  })
})
