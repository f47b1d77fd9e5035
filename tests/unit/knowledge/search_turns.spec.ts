import { test } from '@japa/runner'
import { SearchTurns } from '#knowledge/search/search_turns'

test.group('Turns of searches', () => {
  test('lets two of one owner run, others in their order, and refuses masses', async ({
    assert,
  }) => {
    const turns = new SearchTurns()
    const begun: number[] = []
    const ends: (() => void)[] = []
    const searches = Array.from({ length: 52 }, (_, at) =>
      turns.run('one', () => {
        begun.push(at)
        return new Promise<void>((resolve) => ends.push(resolve))
      })
    )
    assert.deepEqual(begun, [0, 1])
    const refused = await turns.run('one', async () => {}).catch((error) => error)
    assert.deepEqual([refused.code, refused.status], ['E_TOO_MANY_SEARCHES', 429])
    assert.equal(await turns.run('other', async () => 'found'), 'found')

    ends[0]()
    await searches[0]
    await Promise.resolve()
    assert.deepEqual(begun, [0, 1, 2])
    for (let at = 1; at < 52; at++) {
      ends[at]()
      await searches[at]
    }
    assert.deepEqual(
      begun,
      searches.map((_, at) => at)
    )
  })

  test('gives the place on when a search fails', async ({ assert }) => {
    const turns = new SearchTurns()
    const fail = () => turns.run('one', () => Promise.reject(new Error('failed')))
    const outcomes = await Promise.allSettled([fail(), fail(), fail(), fail()])
    assert.lengthOf(
      outcomes.filter(({ status }) => status === 'rejected'),
      4
    )
    assert.equal(await turns.run('one', async () => 'found'), 'found')
  })
})
