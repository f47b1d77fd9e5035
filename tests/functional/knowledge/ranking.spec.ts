import { test } from '@japa/runner'
import app from '@adonisjs/core/services/app'
import db from '@adonisjs/lucid/services/db'
import testUtils from '@adonisjs/core/services/test_utils'
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
})
