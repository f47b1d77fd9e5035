import { test } from '@japa/runner'
import { countsOf, likeness, wordsOf } from '#knowledge/search/words'

test.group('Words', () => {
  test('of {text}')
    .with([
      { text: 'The Café, at 9:30!', words: ['the', 'cafe', 'at', '9', '30'] },
      { text: 'ŁÓDŹ straße', words: ['lodz', 'straße'] },
      { text: 'user@example.org', words: ['user', 'example.org'] },
      { text: '— … —', words: [] },
      { text: '東京と京都', words: ['東京', 'と', '京都'] },
    ])
    .run(({ assert }, { text, words }) => {
      assert.deepEqual(wordsOf(text), words)
    })

  test('are cut where they are no words any more', ({ assert }) => {
    assert.deepEqual(wordsOf('x'.repeat(5000)), ['x'.repeat(64)])
  })

  test('are counted', ({ assert }) => {
    assert.deepEqual(
      [...countsOf(wordsOf('to be or not to be'))],
      [
        ['to', 2],
        ['be', 2],
        ['or', 1],
        ['not', 1],
      ]
    )
  })

  test('tell how alike two texts are', ({ assert }) => {
    const like = (one: string, other: string) =>
      likeness(new Set(wordsOf(one)), new Set(wordsOf(other)))
    assert.equal(like('Deploy on Monday', 'on monday: DEPLOY'), 1)
    assert.equal(like('one two three', 'one two four'), 0.5)
    assert.equal(like('one', 'two'), 0)
    assert.equal(like('', ''), 0)
  })
})
