import { test } from '@japa/runner'
import { agentContent } from '#chat/agent_content'
import { E_CHAT_CONTENT, E_CHAT_OTHER_API } from '#chat/errors'
import { responseBody } from '#chat/responses_request'

const refusals: [string, (content: unknown[]) => unknown][] = [
  [
    '/chat/completions',
    (content) =>
      agentContent(
        [{ role: 'user', content }],
        async (url) => url,
        () => {}
      ),
  ],
  ['/responses', (content) => responseBody({ input: [{ role: 'user', content }] }, false)],
]

for (const [endpoint, send] of refusals) {
  const refused = async (type: unknown) => {
    try {
      await send([{ type }])
    } catch (error) {
      return error
    }
    return null
  }

  test.group(`A part of a message that an agent cannot read: ${endpoint}`, () => {
    test('is refused whatever its type is: {$i}')
      .with(['file', '', null, undefined, 1, [], { toString: 1 }, [{ toString: 1 }]])
      .run(async ({ assert }, type) => {
        assert.instanceOf(await refused(type), E_CHAT_CONTENT)
      })

    test('is named by the beginning of its type', async ({ assert }) => {
      const error = (await refused(`file${'x'.repeat(10_000)}`)) as Error
      assert.include(error.message, 'filexxx')
      assert.isBelow(error.message.length, 200)
    })
  })
}

test.group('A model with another API', () => {
  test('is named by the beginning of its name', ({ assert }) => {
    const error = new E_CHAT_OTHER_API('work', 'm'.repeat(10_000), '/messages', null)
    assert.isBelow(error.help!.length, 500)
  })
})
