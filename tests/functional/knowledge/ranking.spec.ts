import { test } from '@japa/runner'
import app from '@adonisjs/core/services/app'
import db from '@adonisjs/lucid/services/db'
import testUtils from '@adonisjs/core/services/test_utils'
import { SearchTurns } from '#knowledge/search/search_turns'
import { WordIndex } from '#knowledge/search/word_index'
import { countsOf } from '#knowledge/search/words'
import { UserFactory } from '#database/factories/user_factory'
import type { DataCipher } from '#vaults/data_cipher'

const DOCUMENTS = 300

/** Words by how many documents lie between two that contain them. */
const EVERY = { everywhere: 1, common: 2, frequent: 3, middling: 11, rare: 29, single: 300 }

test.group('Ranking of words', (group) => {
  let userId: string
  let cipher: DataCipher
  const index = new WordIndex()
  /** Texts by the ids under which they are indexed. */
  const texts = new Map<string, string[]>()

  group.each.setup(() => testUtils.db().wrapInGlobalTransaction())
  group.each.setup(async () => {
    userId = (await UserFactory.create()).id
    cipher = await (await app.container.make('knowledge.keys')).get(userId)
    texts.clear()
    await db.transaction(async (trx) => {
      for (let at = 0; at < DOCUMENTS; at++) {
        const words = Object.entries(EVERY).flatMap(([word, every]) =>
          at % every === 0 ? Array<string>(1 + (at % 3)).fill(word) : []
        )
        words.push(...Array<string>((at * 7) % 13).fill('filler'))
        texts.set(`document-${at}`, words)
        const document = { userId, kind: 'finding', refId: `document-${at}` } as const
        await index.add(cipher, { ...document, counts: countsOf(words) }, trx)
      }
    })
  })

  /** The scores of all documents, counted in full. */
  function expected(words: string[]): Map<string, number> {
    const average = [...texts.values()].reduce((sum, { length }) => sum + length, 0) / texts.size
    const scores = new Map<string, number>()
    for (const word of words) {
      const held = [...texts.values()].filter((text) => text.includes(word)).length
      const weight = Math.log(1 + (texts.size - held + 0.5) / (held + 0.5))
      for (const [id, text] of texts) {
        const frequency = text.filter((one) => one === word).length
        if (frequency === 0) continue
        const part = (weight * 2.2 * frequency) / (frequency + 0.3 + (0.9 * text.length) / average)
        scores.set(id, (scores.get(id) ?? 0) + part)
      }
    }
    return scores
  }

  const QUERIES = [
    ['everywhere'],
    ['single', 'everywhere'],
    ['rare', 'common', 'everywhere'],
    ['middling', 'frequent', 'common'],
    ['single', 'rare', 'middling', 'frequent', 'common', 'everywhere'],
  ]
  for (const words of QUERIES) {
    test('{word} finds the best of all documents', async ({ assert }) => {
      for (const limit of [1, 5, 40, 250]) {
        const found = await index.search(cipher, { userId, kind: 'finding', words, limit })
        const scores = expected(words)
        const best = [...scores.values()].toSorted((one, other) => other - one).slice(0, limit)
        assert.lengthOf(found, best.length)
        for (const [rank, { refId, score }] of found.entries()) {
          assert.closeTo(score, best[rank], 0.0001)
          assert.closeTo(scores.get(refId)!, score, 0.0001)
        }
      }
    }).with([{ word: words.join(' ') }])
  }

  const search = (by: WordIndex, words: string[], owner = userId) =>
    by.search(cipher, { userId: owner, kind: 'finding', words, limit: DOCUMENTS })

  test('ranks by no word that masses of documents hold, while there are rarer ones', async ({
    assert,
  }) => {
    const bounded = new WordIndex({ held: 100, postings: 1000 })
    const found = await search(bounded, ['common', 'rare', 'everywhere'])
    const rare = [...texts].filter(([, words]) => words.includes('rare')).map(([id]) => id)
    assert.sameMembers(
      found.map(({ refId }) => refId),
      rare
    )
  })

  test('ranks the newest documents by words that masses of them hold', async ({ assert }) => {
    const bounded = new WordIndex({ held: 100, postings: 1000 })
    const found = await search(bounded, ['everywhere', 'common'])
    const newest = [...texts.keys()].slice(-101)
    assert.sameMembers(
      found.map(({ refId }) => refId),
      newest
    )
  })

  test('ranks by the rarest words, of all that so many documents hold together', async ({
    assert,
  }) => {
    const bounded = new WordIndex({ held: 200, postings: 40 })
    const found = await search(bounded, ['common', 'rare', 'middling'])
    const held = [...texts].filter(([, words]) => /rare|middling/.test(words.join()))
    assert.sameMembers(
      found.map(({ refId }) => refId),
      held.map(([id]) => id)
    )
  })

  test('has the third search of one owner wait, and no other owner', async ({ assert }) => {
    const turns = new SearchTurns()
    const free = Promise.withResolvers<void>()
    const busy = [1, 2].map(() => turns.run(userId, () => free.promise))
    const limited = new WordIndex(undefined, turns)
    let found: unknown
    const third = search(limited, ['rare']).then((matches) => (found = matches))
    const other = (await UserFactory.create()).id
    assert.deepEqual(await search(limited, ['rare'], other), [])
    assert.isUndefined(found)
    free.resolve()
    await Promise.all([...busy, third])
    assert.isNotEmpty(found)
  })
})
