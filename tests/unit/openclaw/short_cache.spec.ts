import { test } from '@japa/runner'
import { ShortCache } from '#openclaw/short_cache'

test.group('The short cache', () => {
  function scene(capacity?: number) {
    const clock = { now: 1, lookUps: 0 }
    const cache = new ShortCache<number>({ ttlMs: 1000, capacity, now: () => clock.now })
    const get = (key = 'a') => cache.get(key, async () => ++clock.lookUps)
    return { clock, cache, get }
  }

  test('looks up once while the answer is fresh', async ({ assert }) => {
    const { clock, get } = scene()
    assert.deepEqual(await Promise.all([get(), get()]), [1, 1])
    clock.now = 1001
    assert.equal(await get(), 1)
    clock.now = 1002
    assert.equal(await get(), 2)
  })

  test('forgets everything when told', async ({ assert }) => {
    const { cache, get } = scene()
    await get()
    cache.clear()
    assert.equal(await get(), 2)
  })

  test('keeps neither nothing nor a failure', async ({ assert }) => {
    const { cache } = scene()
    assert.isNull(await cache.get('a', async () => null))
    await assert.rejects(
      () => cache.get('a', async () => Promise.reject(new Error('down'))),
      'down'
    )
    assert.equal(await cache.get('a', async () => 3), 3)
  })

  test('drops what was not asked for longest when it is full', async ({ assert }) => {
    const { get } = scene(2)
    await get('a')
    await get('b')
    assert.equal(await get('a'), 1)
    await get('c')
    assert.equal(await get('a'), 1)
    assert.equal(await get('b'), 4)
  })
})
