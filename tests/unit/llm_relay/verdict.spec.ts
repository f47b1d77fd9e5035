import { test } from '@japa/runner'
import { FAILING_SERVICES } from '#tests/unit/llm_relay/failing_services'
import { judge, judgeError } from '#llm_relay/verdict'
import { providerError } from '#llm_relay/provider_error'

const text = (body: unknown) => (typeof body === 'string' ? body : JSON.stringify(body))

/** By these OpenClaw turns a whole provider off, whatever the status is. */
const TURNS_OFF =
  /unauthori|forbidden|expired|api[ _-]?key|payment|billing|credit balance|insufficient|spend|subscription/i

test.group('A failing service', () => {
  for (const { service, says, status, body, reason } of FAILING_SERVICES) {
    test(`${service}: ${says} is ${reason}`, ({ assert }) => {
      const verdict = judge({ status, body: text(body) }, 'work')
      assert.equal(verdict.reason, reason)
      assert.include([400, 404, 422], verdict.status)
      assert.notMatch(verdict.body, TURNS_OFF)
      const passesOn = reason === 'bad_request' || reason === 'context_length'
      assert.equal(verdict.status === 404, !passesOn)
      if (reason === 'context_length') assert.include(verdict.body, 'context_length_exceeded')
    })

    if (typeof body === 'string' || status === 403 || status >= 500) continue
    /** Within an answer that began with 200, some services name their status, and some only the kind. */
    test(`${service}: ${says} is ${reason} within a stream, too`, ({ assert }) => {
      const told = providerError(body)
      assert.equal(judgeError({ ...told, status: told.status ?? status }, 'work').reason, reason)
    })
  }

  test('is quoted to its owner, and to the agent where that cannot be misread', ({ assert }) => {
    const missing = judge(
      { status: 404, body: '{"error":"The model gpt-9 does not exist"}' },
      'work'
    )
    assert.match(missing.message, /It says: The model gpt-9 does not exist/)
    assert.include(missing.body, 'gpt-9')

    const misread = judge(
      { status: 404, body: '{"error":"gpt-9 is not in your subscription"}' },
      'work'
    )
    assert.match(misread.message, /not in your subscription/)
    assert.notMatch(misread.body, TURNS_OFF)
  })

  test('that the agent can mend is passed on as it came', ({ assert }) => {
    const body = '{"error":{"message":"messages.3: tool_use ids must be unique","extra":[1]}}'
    assert.equal(judge({ status: 422, body }, 'work').body, body)
    assert.equal(judge({ status: 422, body }, 'work').status, 422)
  })

  test('is read in linear time, however it repeats itself', ({ assert }) => {
    for (const sign of ['"', '“', '`', "' ", '{"error":', '[', 'model ', ' \n']) {
      const body = sign.repeat(64_000)
      const verdict = judge({ status: 400, body: JSON.stringify({ error: body }) }, 'work')
      assert.equal(verdict.reason, 'bad_request')
      assert.equal(judge({ status: 400, body }, 'work').reason, 'bad_request')
    }
  })
})
