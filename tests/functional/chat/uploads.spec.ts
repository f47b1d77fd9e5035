import { test } from '@japa/runner'
import testUtils from '@adonisjs/core/services/test_utils'
import { Uploads } from '#chat/uploads'
import Upload from '#models/upload'
import { UserFactory } from '#database/factories/user_factory'

test.group('Uploads', (group) => {
  group.setup(() => testUtils.db().truncate())

  test('are kept in their number, however many arrive at once', async ({ assert }) => {
    const { id } = await UserFactory.create()
    const uploads = new Uploads()
    const file = { name: 'a.txt', type: 'text/plain', data: Buffer.from('a').toString('base64') }
    const added = await Promise.allSettled(Array.from({ length: 60 }, () => uploads.add(id, file)))
    assert.lengthOf(
      added.filter(({ status }) => status === 'fulfilled'),
      40
    )
    assert.lengthOf(await Upload.ownedBy(id), 40)
  })
})
