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

  test('are told apart in as many steps as there are spellings', ({ assert, cleanup }) => {
    const spellings = Array.from({ length: 2000 }, (_, at) => {
      const spaces = [...at.toString(2)].map((bit) => (bit === '1' ? ' ' : '\t'))
      return `ls${spaces.join('')}`
    })
    const aliases = spellings.map((_, at) => `client_${at === 0 ? '' : `${at}_`}ls`)
    const tools = [...spellings, ...aliases].map(tool)
    const steps = counted(Set.prototype, 'has', cleanup)
    const names = ToolNames.of(tools)!
    assert.isAtMost(steps(), 3 * tools.length)
    assert.lengthOf(new Set(namesOf(names.renamed({ tools }))), tools.length)
  })

  test('are restored in one pass, however many there are', ({ assert, cleanup }) => {
    const spellings = ['read', 'Read', 'READ', 'read ', ' read']
    const names = ToolNames.of(spellings.map(tool))!
    const sent = spellings.map((name) => ({
      name: namesOf(names.renamed({ tools: [{ name }] }))[0],
    }))
    const passes = [
      counted(String.prototype, 'replace', cleanup),
      counted(String.prototype, 'replaceAll', cleanup),
    ]
    const restored = names.restored(Buffer.from(JSON.stringify(sent))).toString()
    assert.equal(
      passes.map((calls) => calls()).reduce((sum, calls) => sum + calls),
      1
    )
    assert.deepEqual(
      JSON.parse(restored).map(({ name }: any) => name),
      spellings
    )
  })

  test('stay as they are beyond the length that a name may have', ({ assert }) => {
    assert.isNull(ToolNames.of([tool(`read${' '.repeat(61)}`)]))
  })
})

/** Counts the calls of a method of a class until the test ends. */
function counted(prototype: any, method: string, cleanup: (restore: () => void) => void) {
  const original = prototype[method]
  let calls = 0
  prototype[method] = function (...given: unknown[]) {
    calls++
    return original.apply(this, given)
  }
  cleanup(() => (prototype[method] = original))
  return () => calls
}
