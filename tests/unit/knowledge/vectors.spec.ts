import { test } from '@japa/runner'
import { compare, freeSlot, normalized, withSlot } from '#knowledge/search/vectors'
import { mergedByRank } from '#knowledge/search/reciprocal_rank'

const EMPTY = Buffer.alloc(0)

function similarities(block: Buffer, wanted: number[]): [slot: number, similarity: number][] {
  const found: [number, number][] = []
  compare(block, normalized(wanted), (slot, similarity) => found.push([slot, similarity]))
  return found
}

test.group('Vectors in a block', () => {
  test('keep their similarity within a hundredth', ({ assert }) => {
    const wave = (phase: number) =>
      Array.from({ length: 384 }, (_, at) => Math.sin(at * phase) + 0.2 * Math.cos(at))
    const [one, other] = [wave(0.7), wave(0.71)]
    const block = withSlot(EMPTY, 384, 0, normalized(other))
    const exact = normalized(one).reduce((sum, part, at) => sum + part * normalized(other)[at], 0)
    const [[, similarity]] = similarities(block, one)
    assert.closeTo(similarity, exact, 0.01)
    assert.closeTo(similarities(block, other)[0][1], 1, 0.01)
  })

  test('leave a slot that the next one takes', ({ assert }) => {
    let block: Buffer = EMPTY
    for (const vector of [
      [1, 0],
      [0, 1],
      [-1, 0],
    ]) {
      block = withSlot(block, 2, freeSlot(block, 2), normalized(vector))
    }
    assert.equal(freeSlot(block, 2), 3)
    block = withSlot(block, 2, 1, null)
    assert.deepEqual(
      similarities(block, [1, 0]).map(([slot, similarity]) => [slot, Math.round(similarity)]),
      [
        [0, 1],
        [2, -1],
      ]
    )
    assert.isTrue(
      block.subarray(6, 12).every((byte) => byte === 0),
      'nothing is left of it'
    )
    assert.equal(freeSlot(block, 2), 1)
  })
})

test.group('Two rankings', () => {
  const ranked = (...ids: string[]) => ids.map((refId) => ({ refId, score: 1 }))

  test('merge by rank, and tell which of them found what', ({ assert }) => {
    const merged = mergedByRank(ranked('a', 'b', 'c'), ranked('d', 'c', 'a'))
    assert.deepEqual(
      merged.map(({ refId, foundBy }) => `${refId} ${foundBy}`),
      ['a both', 'c both', 'd meaning', 'b words']
    )
  })

  test('put words first among equals', ({ assert }) => {
    assert.deepEqual(
      mergedByRank(ranked('a'), ranked('b')).map(({ refId }) => refId),
      ['a', 'b']
    )
  })
})
