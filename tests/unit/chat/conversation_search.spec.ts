import { test } from '@japa/runner'
import type { Conversation } from '#chat/listed_conversations'
import { withText } from '#chat/conversation_search'

const conversations = (length: number, texts: Partial<Conversation> = {}) =>
  Array.from({ length }, (_, index) => {
    const fixed = { surface: 'web' as const, pinned: false, updatedAt: new Date(0) }
    return { id: String(index), title: null, preview: null, ...fixed, ...texts }
  })

test.group('The search for conversations', () => {
  test('looks at no text where nothing is searched for', async ({ assert }) => {
    const one = {
      ...conversations(1)[0],
      get title(): string {
        throw new Error('looked at')
      },
    }
    assert.deepEqual(await withText([one], '  '), [one])
  })

  test('lets other work go on while it looks at many', async ({ assert }) => {
    const all = conversations(10_000, { title: 'Été', preview: 'Lisbon.' })
    let turns = 0
    const count = () => {
      turns++
      other = setImmediate(count)
    }
    let other = setImmediate(count)
    const found = await withText(all, 'ETE')
    clearImmediate(other)
    assert.lengthOf(found, 10_000)
    assert.isAtLeast(turns, 10)
  })
})
