import { test } from '@japa/runner'
import { SecretKey } from '#vaults/secret_keys'
import { SetupToken } from '#onboarding/setup_token'
import { setupNotice } from '#onboarding/setup_link'
import type { Onboarding, OnboardingState } from '#onboarding/onboarding'

const FIRST = new SecretKey('kV3xQ9mTz7LpRw2YbN8sHc4JfD6gUa1E')
const SECOND = new SecretKey('Zt5uXc1Vb7Nm3Qw9Er2Ty6Ui8Op4As0D')

const tokenOf = (keys: SecretKey[], id = 'installation') => new SetupToken(keys, async () => id)

test.group('The setup token', () => {
  test('is the same for every replica of an installation, and for no other', async ({ assert }) => {
    const token = await tokenOf([FIRST]).value()
    assert.match(token, /^[\w-]{43}$/)
    assert.equal(await tokenOf([FIRST]).value(), token)
    assert.notEqual(await tokenOf([FIRST], 'another').value(), token)
    assert.notEqual(await tokenOf([SECOND]).value(), token)
  })

  test('printed before a new key was put in front still works', async ({ assert }) => {
    const printed = await tokenOf([FIRST]).value()
    assert.isTrue(await tokenOf([SECOND, FIRST]).matches(printed))
    assert.isFalse(await tokenOf([SECOND]).matches(printed))
  })

  test('matches nothing that is shorter, longer or none', async ({ assert }) => {
    const printed = await tokenOf([FIRST]).value()
    for (const wrong of ['', printed.slice(1), `${printed}AAAA`, 'ü', printed.toLowerCase()]) {
      assert.isFalse(await tokenOf([FIRST]).matches(wrong), wrong)
    }
  })
})

test.group('What the server prints at its start', () => {
  const onboardingAt = (state: OnboardingState) =>
    ({ state: async () => state, setupToken: tokenOf([FIRST]) }) as unknown as Onboarding
  const HERE = { host: '127.0.0.1', port: 3333 }

  test('is the setup link until someone claims the installation', async ({ assert }) => {
    const fresh = onboardingAt({ completed: false, step: 'breakglass' })
    const notice = await setupNotice(fresh, HERE)
    const token = await tokenOf([FIRST]).value()
    assert.include(notice!.split('\n'), `http://127.0.0.1:3333/onboarding?token=${token}`)
  })

  test('names an address that can be opened', async ({ assert }) => {
    const fresh = onboardingAt({ completed: false, step: 'breakglass' })
    assert.include(await setupNotice(fresh, { ...HERE, host: '0.0.0.0' }), 'http://localhost:3333/')
    assert.include(await setupNotice(fresh, { ...HERE, host: '::' }), 'http://localhost:3333/')
    assert.include(await setupNotice(fresh, { ...HERE, host: '::1' }), 'http://[::1]:3333/')
  })

  test('names where it is published, if that is elsewhere', async ({ assert }) => {
    const fresh = onboardingAt({ completed: false, step: 'breakglass' })
    const at = async (publishedUrl: string) =>
      setupNotice(fresh, { host: 'mosaic-front', port: 3333, publishedUrl })
    assert.include(await at('http://localhost:8080'), 'http://localhost:8080/onboarding')
    assert.include(await at('http://0.0.0.0:8080'), 'http://localhost:8080/onboarding')
    assert.include(await at('https://mosaic.test/'), 'https://mosaic.test/onboarding')
  })

  test('holds no token once it is claimed, and is nothing once it is done', async ({ assert }) => {
    const claimed = onboardingAt({ completed: false, step: 'provider' })
    assert.notInclude(await setupNotice(claimed, HERE), 'token')
    assert.isNull(await setupNotice(onboardingAt({ completed: true, step: 'complete' }), HERE))
  })
})
