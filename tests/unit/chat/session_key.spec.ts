import { test } from '@japa/runner'
import { conversationOf, safeName, sessionKey, sessionKeyOf } from '#chat/session_key'

test.group('Session keys', () => {
  test('a plain name is kept, behind its surface', ({ assert }) => {
    assert.equal(sessionKey('api', 'holiday-plans_2'), 'api:holiday-plans_2')
  })

  test('no name reaches a namespace of the agent: {$self}')
    .with(['subagent:x', 'cron:daily', 'acp:1', 'agent:main:main', ' cron:x', 'CRON:x', 'global'])
    .run(({ assert }, name) => {
      assert.match(sessionKey('api', name), /^api:[a-z0-9][a-z0-9._-]*$/)
    })

  test('a name is shortened, and different names stay different', ({ assert }) => {
    const long = 'x'.repeat(5000)
    assert.isAtMost(safeName(long).length, 64)
    assert.notEqual(safeName(long), safeName(`${long}y`))
    assert.notEqual(safeName('Bob'), safeName('bob'))
    assert.notEqual(safeName('a b'), safeName('a:b'))
    assert.match(safeName('…'), /^x\.[0-9a-f]{16}$/)
  })

  test('the same name is always the same conversation', ({ assert }) => {
    assert.equal(safeName('Ärger im Büro'), safeName('Ärger im Büro'))
    assert.equal(safeName(safeName('Ärger im Büro')), safeName('Ärger im Büro'))
  })

  test('a conversation is found again under the key that it was written with', ({ assert }) => {
    assert.equal(sessionKeyOf('tz4a98xxat96iws9zmbrgj3a'), 'web:tz4a98xxat96iws9zmbrgj3a')
    assert.equal(sessionKeyOf('api:notes'), 'api:notes')
    assert.deepEqual(conversationOf('api:notes'), { id: 'api:notes', surface: 'api' })
    assert.deepEqual(conversationOf('web:abc'), { id: 'abc', surface: 'web' })
  })

  test('sessions of others are no conversations: {$self}')
    .with(['main', 'openai:1', 'cron:web:abc', 'web', 'web:', 'web:a:b'])
    .run(({ assert }, key) => {
      assert.isNull(conversationOf(key))
    })
})
