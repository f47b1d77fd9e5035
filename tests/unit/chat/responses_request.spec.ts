import { test } from '@japa/runner'
import { E_CHAT_CONTENT } from '#chat/errors'
import { responseBody } from '#chat/responses_request'

const BREAKS = { toString: 1 }
const said = (part: unknown) => ({ input: [{ role: 'user', content: [part] }] })

test.group('Requests of the Responses API', () => {
  test('whose parts are no text are refused: {$i}')
    .with([
      { type: 'input_text', text: BREAKS },
      { type: 'text', text: 1 },
      { type: 'refusal', refusal: [BREAKS] },
      { type: BREAKS },
      { type: 'input_image', image_url: BREAKS },
      { type: 'input_file', file_data: BREAKS },
      null,
      1,
    ])
    .run(({ assert }, part) => {
      try {
        responseBody(said(part), false)
        assert.fail('it was taken')
      } catch (error) {
        assert.instanceOf(error, E_CHAT_CONTENT)
      }
    })

  test('hold nothing that breaks what reads them', ({ assert }) => {
    for (const isNamed of [true, false]) {
      for (const item of [null, 1, [], BREAKS, { role: BREAKS }, { type: BREAKS, role: 'user' }]) {
        const input = [{ role: 'user', content: 'Hi' }, item]
        const body = JSON.parse(responseBody({ input }, isNamed))
        assert.deepEqual(body.input, [{ type: 'message', role: 'user', content: 'Hi' }])
      }
    }
    for (const field of ['tools', 'tool_choice', 'text', 'instructions', 'stream']) {
      for (const value of [null, 1, 'x', [null], BREAKS]) {
        assert.isString(responseBody({ input: 'Hi', [field]: value }, false))
      }
    }
  })
})
