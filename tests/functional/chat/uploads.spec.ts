import { test } from '@japa/runner'
import app from '@adonisjs/core/services/app'
import testUtils from '@adonisjs/core/services/test_utils'
import { Uploads } from '#chat/uploads'
import { uploadCleanup } from '#chat/upload_cleanup'
import Upload from '#models/upload'
import { UserFactory } from '#database/factories/user_factory'
import ChatProvider from '#providers/chat_provider'
import { TestClock, until } from '#tests/doubles/test_clock'

const HOUR_MS = 60 * 60_000
const file = { name: 'a.txt', type: 'text/plain', data: Buffer.from('a').toString('base64') }

test.group('Uploads', (group) => {
  group.setup(() => testUtils.db().truncate())

  test('are kept in their number, however many arrive at once', async ({ assert }) => {
    const { id } = await UserFactory.create()
    const uploads = new Uploads()
    const added = await Promise.allSettled(Array.from({ length: 60 }, () => uploads.add(id, file)))
    assert.lengthOf(
      added.filter(({ status }) => status === 'fulfilled'),
      40
    )
    assert.lengthOf(await Upload.ownedBy(id), 40)
  })
  test('that expired are deleted at startup and hourly, by one timer for all', async ({
    assert,
    cleanup,
  }) => {
    const { id } = await UserFactory.create()
    const clock = new TestClock()
    const uploads = new Uploads(clock.now)
    const scheduler = uploadCleanup({ clock, logger: await app.container.make('logger') }, uploads)
    cleanup(() => scheduler.stop())
    const kept = async () => (await Upload.ownedBy(id)).length
    const ends = async (left: number) => until(async () => (await kept()) === left)

    await uploads.add(id, file)
    clock.advance(HOUR_MS)
    assert.equal(clock.backgroundTimers, 0)
    scheduler.start()
    await ends(0)

    await until(async () => clock.backgroundTimers === 1)
    await uploads.add(id, file)
    await uploads.add(id, file)
    clock.advance(HOUR_MS)
    await ends(0)
    await until(async () => clock.backgroundTimers === 1)
  })

  test('cannot be sent once they are expired', async ({ assert }) => {
    const { id } = await UserFactory.create()
    const { id: uploadId } = await new Uploads(() => Date.now() - 2 * HOUR_MS).add(id, file)
    const uploads = new Uploads()
    await assert.rejects(() => uploads.read(id, [uploadId]), /no such upload/i)
    await assert.rejects(() => uploads.sizeOf(id, [uploadId]), /no such upload/i)
  })

  test('set no timer of their own', async ({ assert, cleanup }) => {
    const { id } = await UserFactory.create()
    const { setTimeout: real } = globalThis
    cleanup(() => void (globalThis.setTimeout = real))
    const waits: unknown[] = []
    const noted = (...args: Parameters<typeof real>) => (waits.push(args[1]), real(...args))
    globalThis.setTimeout = Object.assign(noted, real) as typeof real
    await new Uploads().add(id, file)
    assert.deepEqual(
      waits.filter((ms) => Number(ms) >= HOUR_MS),
      []
    )
  })

  test('that a killed Mosaic left are deleted when the next one is ready', async ({ cleanup }) => {
    const { id } = await UserFactory.create()
    await new Uploads(() => Date.now() - 2 * HOUR_MS).add(id, file)
    const provider = new ChatProvider({
      ...{ container: app.container, getEnvironment: () => 'web', terminating: () => {} },
    } as unknown as typeof app)
    cleanup(() => provider.shutdown())
    await provider.ready()
    await until(async () => (await Upload.ownedBy(id)).length === 0)
  })
})
