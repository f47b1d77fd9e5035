import { test } from '@japa/runner'
import { ToolNames } from '#chat/tool_names'

const tool = (name: string) => ({ type: 'function', function: { name } })
const namesOf = (request: any) => request.tools.map((one: any) => one.function?.name ?? one.name)

test.group('Tools whose names are the agent’s own', () => {
  test('are none: nothing changes', ({ assert }) => {
    for (const tools of [undefined, null, 'x', [], [tool('get_weather')], [null, {}, 7]]) {
      assert.isNull(ToolNames.of(tools))
    }
  })

  test('are found however they are written', ({ assert }) => {
    const tools = ['Read', 'BASH', 'web_search', 'mine'].map(tool)
    const names = ToolNames.of(tools)!
    assert.deepEqual(namesOf(names.renamed({ tools })), [
      'client_Read',
      'client_BASH',
      'client_web_search',
      'mine',
    ])
  })

  test('keep to the length that a name may have, and stay apart', ({ assert }) => {
    const tools = ['read', 'client_read', 'client_1_read'].map(tool)
    const names = ToolNames.of(tools)!
    assert.deepEqual(namesOf(names.renamed({ tools })), [
      'client_2_read',
      'client_read',
      'client_1_read',
    ])
  })

  test('have their own names in an answer, and texts keep theirs', ({ assert }) => {
    const names = ToolNames.of([tool('read')])!
    const answer = {
      content: 'Call "name":"client_read"',
      tool_calls: [{ function: { name: 'client_read', arguments: '{"name":"client_read"}' } }],
    }
    const restored = JSON.parse(names.restored(Buffer.from(JSON.stringify(answer))).toString())
    assert.equal(restored.content, answer.content)
    assert.equal(restored.tool_calls[0].function.arguments, '{"name":"client_read"}')
    assert.equal(restored.tool_calls[0].function.name, 'read')
  })
})
