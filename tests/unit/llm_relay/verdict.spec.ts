import { test } from '@japa/runner'
import { FAILING_SERVICES } from '#tests/unit/llm_relay/failing_services'
import type { LlmAdapter } from '#llm/contract'
import { judge, judgeError } from '#llm_relay/verdict'
import { isProviderError, providerError } from '#llm_relay/provider_error'

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

test.group('An answer that begins with 200', () => {
  for (const { service, body, reason } of [
    {
      service: 'MiniMax',
      body: { base_resp: { status_code: 1008, status_msg: 'insufficient balance' } },
      reason: 'billing',
    },
    {
      service: 'MiniMax under load',
      body: { base_resp: { status_code: 1002, status_msg: 'rate limit exceeded(RPM)' } },
      reason: 'rate_limited',
    },
    {
      service: 'Baidu',
      body: { error_code: 18, error_msg: 'Open api qps request limit reached: rate limit' },
      reason: 'rate_limited',
    },
    {
      service: 'Cloudflare',
      body: { success: false, errors: [{ code: 7003, message: 'No such model' }], result: null },
      reason: 'not_found',
    },
    {
      service: 'Google, as a list of one',
      body: [{ error: { code: 429, status: 'RESOURCE_EXHAUSTED', message: 'Quota exceeded' } }],
      reason: 'rate_limited',
    },
    {
      service: 'a proxy',
      body: { error: true, message: 'Invalid API key' },
      reason: 'unauthorized',
    },
  ]) {
    test(`is an error all the same: ${service}`, ({ assert }) => {
      assert.isTrue(isProviderError(body, null))
      assert.equal(judgeError(providerError(body), 'work').reason, reason)
    })
  }

  test('is an answer where it says that nothing failed: {$self}')
    .with([
      '{"choices":[],"base_resp":{"status_code":0,"status_msg":"success"}}',
      '{"result":"Hi","error_code":0}',
      '{"result":"Hi","error_code":"0"}',
      '{"success":true,"errors":[],"result":{}}',
      '{"choices":[],"error":null}',
      '{"choices":[],"error":false}',
      '[{"candidates":[]}]',
      '[]',
      'null',
    ])
    .run(({ assert }, body) => {
      assert.isFalse(isProviderError(JSON.parse(body), null))
    })
})

test.group('A service with an error shape of its own', () => {
  const answer = { status: 418, body: '{"kettle":{"state":"dry"}}' }
  const reading = (readError: NonNullable<LlmAdapter['readError']>) =>
    judge(answer, 'work', { readError })

  test('is read by its adapter', ({ assert }) => {
    const read: object[] = []
    const verdict = reading((given) => {
      read.push(given)
      return { reason: 'billing' }
    })
    assert.deepEqual(read, [answer])
    assert.include(verdict, { reason: 'billing', status: 404 })
    assert.equal(verdict.message, 'The account behind work has no credit left.')
  })

  test('is told in the sentence that its adapter found', ({ assert }) => {
    const verdict = reading(() => ({ reason: 'not_found', message: 'No such kettle.' }))
    assert.match(verdict.message, /It says: No such kettle\.$/)
  })

  test('is read as usual where the adapter does not know, throws or makes up a reason', ({
    assert,
  }) => {
    const usual = judge(answer, 'work')
    assert.deepEqual(
      reading(() => null),
      usual
    )
    assert.deepEqual(
      reading(() => {
        throw new Error('a defect')
      }),
      usual
    )
    assert.deepEqual(
      reading(() => ({ reason: 'full_moon' }) as never),
      usual
    )
  })
})
