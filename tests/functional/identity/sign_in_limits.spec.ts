import { test } from '@japa/runner'
import app from '@adonisjs/core/services/app'
import hash from '@adonisjs/core/services/hash'
import db from '@adonisjs/lucid/services/db'
import testUtils from '@adonisjs/core/services/test_utils'
import AuditEvent from '#models/audit_event'
import User from '#models/user'
import { consume } from '#identity/limited'
import { SignIn } from '#identity/sign_in'
import { until } from '#tests/doubles/test_clock'

const ADMIN = { username: 'admin', password: 'correct horse battery' }
const WRONG = { ...ADMIN, password: 'wrong horse battery' }

test.group('Wrong passwords', (group) => {
  const pauses: number[] = []
  let signIn: SignIn

  /** Limits are rows outside a test's transaction. */
  const forget = async () => void (await db.from('rate_limits').delete())
  group.each.setup(forget)
  group.each.setup(() => testUtils.db().wrapInGlobalTransaction())
  group.each.setup(async () => {
    const accounts = await app.container.make('identity.breakglass')
    await accounts.create(ADMIN)
    pauses.length = 0
    signIn = new SignIn(
      await app.container.make('limiter.manager'),
      await app.container.make('identity.oidc.enforcement'),
      await app.container.make('audit'),
      async (ms) => void pauses.push(ms)
    )
    return forget
  })

  const codeOf = (attempt: Promise<unknown>) =>
    attempt.then(
      () => 'signed in',
      ({ code }: { code: string }) => code
    )

  test('from one address are refused as too many after twenty, whosoever they are for', async ({
    assert,
  }) => {
    for (let tries = 0; tries < 20; tries++) {
      const attempt = signIn.withPassword({ ...WRONG, username: `name${tries}` }, '198.51.100.1')
      assert.equal(await codeOf(attempt), 'E_INVALID_CREDENTIALS')
    }
    const events = await AuditEvent.query().where('action', 'session.refused')
    for (const username of ['name21', ADMIN.username]) {
      const attempt = signIn.withPassword({ ...WRONG, username }, '198.51.100.1')
      assert.equal(await codeOf(attempt), 'E_TOO_MANY_REQUESTS')
    }
    assert.lengthOf(await AuditEvent.query().where('action', 'session.refused'), events.length)
    assert.equal(await codeOf(signIn.withPassword(WRONG, '198.51.100.2')), 'E_INVALID_CREDENTIALS')
  })

  test('of others behind the same proxy keep no right one out; it takes longer', async ({
    assert,
  }) => {
    for (let tries = 0; tries < 40; tries++) {
      await codeOf(signIn.withPassword({ ...WRONG, username: `name${tries}` }, '198.51.100.1'))
    }
    assert.equal(await codeOf(signIn.withPassword(ADMIN, '198.51.100.1')), 'signed in')
    assert.equal(pauses.at(-1), 4000)
  })

  test('in the name of someone keep them out from no address', async ({ assert }) => {
    for (let tries = 0; tries < 25; tries++) {
      await codeOf(signIn.withPassword(WRONG, '127.0.0.1'))
    }
    assert.equal(await codeOf(signIn.withPassword(WRONG, '127.0.0.1')), 'E_TOO_MANY_REQUESTS')
    assert.equal(await codeOf(signIn.withPassword(ADMIN, '127.0.0.1')), 'signed in')
  })

  for (const [when, waits] of [
    ['while its turn was awaited', true],
    ['while it was compared', false],
  ] as const) {
    test(`do not pass for right because they were before a reset ${when}`, async ({
      assert,
      cleanup,
    }) => {
      const accounts = await app.container.make('identity.breakglass')
      const reset = async () => {
        if (!waits) hash.verify = verify
        await accounts.reset({ ...ADMIN, password: 'another long password' })
      }
      const verify = hash.verify
      cleanup(() => void (hash.verify = verify))
      const racing = new SignIn(
        await app.container.make('limiter.manager'),
        await app.container.make('identity.oidc.enforcement'),
        await app.container.make('audit'),
        async () => void (waits && (await reset()))
      )
      if (!waits) {
        hash.verify = async (...args: Parameters<typeof verify>) => {
          const isRight = await verify.apply(hash, args)
          await reset()
          return isRight
        }
      }
      const attempt = racing.withPassword(ADMIN, '198.51.100.1')
      assert.equal(await codeOf(attempt), 'E_INVALID_CREDENTIALS')
    })
  }

  test('leave no rows of new names once their source is refused', async ({ assert }) => {
    const proceed = Promise.withResolvers<void>()
    const slow = new SignIn(
      await app.container.make('limiter.manager'),
      await app.container.make('identity.oidc.enforcement'),
      await app.container.make('audit'),
      async (ms) => void (ms > 0 && (await proceed.promise))
    )
    const named = (name: string) =>
      codeOf(slow.withPassword({ ...WRONG, username: name }, '198.51.100.1'))
    for (let tries = 0; tries < 20; tries++) await named(`first${tries}`)
    const waiting = Array.from({ length: 10 }, (_, at) => named(`waiting${at}`))
    const rows = async () => (await db.from('rate_limits')).length
    await until(async () => (await rows()) === 1 + 2 * 30)
    await until(async () => (await named('known')) === 'E_TOO_MANY_REQUESTS')
    const before = await rows()
    for (let tries = 0; tries < 100; tries++) {
      assert.equal(await named(`new${tries}`), 'E_TOO_MANY_REQUESTS')
    }
    assert.equal(await rows(), before)
    proceed.resolve()
    await Promise.all(waiting)
  })

  test('make a browser wait that is new to the account, and none that is known', async ({
    assert,
  }) => {
    for (let tries = 0; tries < 30; tries++) {
      await codeOf(signIn.withPassword(WRONG, `198.51.100.${tries}`))
    }
    assert.equal(await codeOf(signIn.withPassword(ADMIN, '198.51.100.1', 'desk')), 'signed in')
    assert.equal(pauses.at(-1), 0)
    for (let tries = 0; tries < 12; tries++) {
      await codeOf(signIn.withPassword(WRONG, `198.51.100.${tries}`, 'desk'))
    }
    assert.equal(
      await codeOf(signIn.withPassword(WRONG, '198.51.100.1', 'desk')),
      'E_TOO_MANY_REQUESTS',
      'who takes a known browser may not guess without end'
    )
  })

  test('that come all at once are counted before they are looked at, and few of them wait', async ({
    assert,
  }) => {
    const enough = Promise.withResolvers<void>()
    signIn = new SignIn(
      await app.container.make('limiter.manager'),
      await app.container.make('identity.oidc.enforcement'),
      await app.container.make('audit'),
      (ms) => (ms > 0 ? enough.promise : Promise.resolve())
    )
    let refused = 0
    const flood = Array.from({ length: 40 }, (_, at) =>
      codeOf(signIn.withPassword(WRONG, `198.51.100.${at % 2}`)).then((code) => {
        refused += Number(code === 'E_TOO_MANY_REQUESTS')
        if (refused >= 24) enough.resolve()
        return code
      })
    )
    const codes = await Promise.all(flood)
    const looked = codes.filter((code) => code === 'E_INVALID_CREDENTIALS').length
    assert.isAtMost(looked, 16)
    assert.isAtLeast(refused, 24)
  })

  test('of strangers count nothing for someone who confirms that it is them', async ({
    assert,
  }) => {
    const user = await User.query().firstOrFail()
    for (let tries = 0; tries < 25; tries++) await codeOf(signIn.withPassword(WRONG, '127.0.0.1'))
    await signIn.confirm(user, ADMIN.password, '127.0.0.1')
    assert.equal(pauses.at(-1), 0)
    for (let tries = 0; tries < 10; tries++) {
      await codeOf(signIn.confirm(user, WRONG.password, '127.0.0.1'))
    }
    const next = await codeOf(signIn.confirm(user, WRONG.password, '127.0.0.1'))
    assert.equal(next, 'E_TOO_MANY_REQUESTS', 'who takes a session may not guess without end')
  })

  test('are forgotten where the clock was set back', async ({ assert }) => {
    const manager = await app.container.make('limiter.manager')
    const limiter = manager.use({ requests: 1, duration: '1 min' })
    await limiter.set('someone', 2, '1 min')
    assert.equal(await codeOf(consume(limiter, 'someone')), 'E_TOO_MANY_REQUESTS')
    await limiter.set('someone', 2, '1 hour')
    await consume(limiter, 'someone')
    assert.equal(await codeOf(consume(limiter, 'someone')), 'E_TOO_MANY_REQUESTS')
  })

  test('from one network of IPv6 count as from one address', async ({ assert }) => {
    for (let tries = 0; tries < 20; tries++) {
      const attempt = { ...WRONG, username: `name${tries}` }
      const address = `2001:db8:7:1:${tries.toString(16)}::1`
      assert.equal(await codeOf(signIn.withPassword(attempt, address)), 'E_INVALID_CREDENTIALS')
    }
    const same = signIn.withPassword(WRONG, '2001:db8:7:1:ffff::1')
    assert.equal(await codeOf(same), 'E_TOO_MANY_REQUESTS')
    const other = signIn.withPassword(WRONG, '2001:db8:7:2::1')
    assert.equal(await codeOf(other), 'E_INVALID_CREDENTIALS')
  })

  test('from everywhere make an account slower, and lock nobody out', async ({ assert }) => {
    for (let tries = 0; tries < 30; tries++) {
      await codeOf(signIn.withPassword(WRONG, `198.51.100.${tries}`))
    }
    assert.deepEqual(
      pauses.slice(0, 10),
      Array(10).fill(0),
      'a person who mistypes waits for nothing'
    )
    assert.deepEqual(pauses.slice(10, 13), [250, 500, 750])
    assert.equal(Math.max(...pauses), 4000)

    assert.equal(await codeOf(signIn.withPassword(ADMIN, '203.0.113.1')), 'signed in')
    assert.equal(pauses.at(-1), 4000, 'the right one took as long')
    await signIn.withPassword(ADMIN, '203.0.113.1')
    assert.equal(pauses.at(-1), 0, 'after it all is forgotten')
  })

  test('make an account slower alike, whether there is one or not', async ({ assert }) => {
    for (let tries = 0; tries < 12; tries++) {
      await codeOf(signIn.withPassword({ ...WRONG, username: 'nobody' }, `198.51.100.${tries}`))
    }
    assert.deepEqual(pauses.slice(10), [250, 500])
  })
})
