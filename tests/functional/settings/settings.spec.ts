import { test } from '@japa/runner'
import db from '@adonisjs/lucid/services/db'
import SystemConfig from '#models/system_config'
import { SECRET_SETTINGS, type SettingKey } from '#settings/definitions'
import { Settings } from '#settings/settings'
import { mailServer } from '#mail/mail_server'
import vault from '#vaults/services/main'
import type { VaultManager } from '#vaults/manager'

test.group('Settings', (group) => {
  const clean = async () => {
    await db.from('system_configs').delete()
  }

  group.each.setup(async () => {
    await clean()
    return clean
  })

  const fresh = () => new Settings(vault)

  test('have their default until someone sets them', async ({ assert }) => {
    assert.equal(await fresh().get('agents.idleTimeoutMin'), 30)

    await fresh().set('agents.idleTimeoutMin', 5)
    assert.equal(await fresh().get('agents.idleTimeoutMin'), 5)

    await fresh().patch({ 'agents.idleTimeoutMin': null })
    assert.equal(await fresh().get('agents.idleTimeoutMin'), 30)
  })

  /** The vault, with something to happen before it seals. */
  const vaultThat = (beforeSeal: () => Promise<void>): VaultManager => {
    const sealing = Object.create(vault) as VaultManager
    sealing.seal = async (...args) => {
      await beforeSeal()
      return vault.seal(...args)
    }
    sealing.open = (...args) => vault.open(...args)
    return sealing
  }

  const OLD_SERVER = { 'mail.host': 'old.test', 'mail.from': 'a@b.test', 'mail.username': 'mosaic' }

  test('never show the new host with the old password', async ({ assert }) => {
    await fresh().patch({ ...OLD_SERVER, 'mail.password': 'old' })
    const seen: unknown[] = []
    const see = async () => {
      const { host, credentials } = (await mailServer(fresh()))!
      seen.push(`${host} ${credentials?.pass}`)
    }
    const changed = new Settings(vaultThat(see))
    await changed.patch({ 'mail.host': 'new.test', 'mail.port': 25, 'mail.password': 'new' })
    await see()
    assert.deepEqual(seen, ['old.test old', 'new.test new'])
  })

  test('are stored all or not at all if the vault fails midway', async ({ assert }) => {
    await fresh().patch({ ...OLD_SERVER, 'mail.password': 'old' })
    const failing = new Settings(vaultThat(() => Promise.reject(new Error('The vault is away'))))
    await assert.rejects(
      () => failing.patch({ 'mail.host': 'new.test', 'mail.password': 'new' }),
      'The vault is away'
    )
    assert.equal(await fresh().get('mail.host'), 'old.test')
    assert.equal(await failing.get('mail.host'), 'old.test')
  })

  test('are stored as a whole by the last of two who change them at once', async ({ assert }) => {
    await fresh().patch({ ...OLD_SERVER, 'mail.password': 'old' })
    const other = () => fresh().patch({ 'mail.host': 'other.test', 'mail.password': 'other' })
    const slow = new Settings(vaultThat(async () => void (await other())))
    await slow.patch({ 'mail.host': 'old.test', 'mail.password': 'same' })
    assert.equal(await fresh().get('mail.host'), 'old.test')
    assert.equal(await fresh().get('mail.password'), 'same')
  })

  test('of one snapshot are of one moment', async ({ assert }) => {
    const settings = fresh()
    await settings.patch({ ...OLD_SERVER, 'mail.password': 'old' })
    const before = await settings.snapshot()
    assert.equal(await before.get('mail.host'), 'old.test')
    await settings.patch({ 'mail.host': 'new.test', 'mail.password': 'new' })
    assert.equal(await before.get('mail.password'), 'old')
    assert.equal(await settings.get('mail.password'), 'new')
  })

  test('read slowly never replace what was read since', async ({ assert, cleanup }) => {
    const settings = fresh()
    await settings.set('agents.idleTimeoutMin', 5)
    const all = SystemConfig.all
    cleanup(() => void (SystemConfig.all = all))
    const proceed = Promise.withResolvers<void>()
    SystemConfig.all = async function (this: typeof SystemConfig) {
      const rows = await all.call(this)
      await proceed.promise
      return rows
    } as typeof all
    const slow = settings.get('agents.idleTimeoutMin')
    SystemConfig.all = all
    await settings.set('agents.idleTimeoutMin', 6)
    assert.equal(await settings.get('agents.idleTimeoutMin'), 6)
    proceed.resolve()
    assert.include([5, 6], await slow)
    assert.equal(await settings.get('agents.idleTimeoutMin'), 6)
  })

  test('tell where a value comes from, and never a secret', async ({ assert }) => {
    const settings = fresh()
    await settings.patch({ 'oidc.clientSecret': 'canary-oidc', 'oidc.clientId': 'mosaic' })

    const listed = await settings.list()
    const entry = (key: string) => listed.find((setting) => setting.key === key)
    assert.include(entry('oidc.clientId'), { value: 'mosaic', source: 'database', secret: false })
    assert.include(entry('oidc.clientSecret'), { value: null, set: true, secret: true })
    assert.include(entry('runtime.driver'), { value: 'process', source: 'default' })
    assert.notInclude(JSON.stringify(listed), 'canary-oidc')

    const rows = await db.from('system_configs')
    assert.notInclude(JSON.stringify(rows), 'canary-oidc')
    assert.equal(await settings.get('oidc.clientSecret'), 'canary-oidc')
  })

  test('open as what they were sealed as, under no other key', async ({ assert }) => {
    await fresh().set('mail.password', 'of-mail')
    await SystemConfig.query().update({ key: 'audit.key' })
    await assert.rejects(() => fresh().get('audit.key'), /altered/i)
  })

  test('of earlier versions open, and are sealed with their key at a boot', async ({ assert }) => {
    const context = { table: 'system_configs', column: 'value', rowId: 'of-mail' }
    const value = await vault.seal('"of-mail"', context)
    await SystemConfig.create({ id: 'of-mail', key: 'mail.password', value, encrypted: true })
    assert.equal(await fresh().get('mail.password'), 'of-mail')

    await fresh().bindSecrets()
    assert.equal(await fresh().get('mail.password'), 'of-mail')
    const { value: bound } = await SystemConfig.findByOrFail('key', 'mail.password')
    await fresh().bindSecrets()
    assert.equal((await SystemConfig.findByOrFail('key', 'mail.password')).value, bound)
    await SystemConfig.query().where('id', 'of-mail').update({ key: 'oidc.clientSecret' })
    await assert.rejects(() => fresh().get('oidc.clientSecret'), /altered/i)
  })

  test('are sealed or plain by their definition, whatever their row says', async ({ assert }) => {
    const secrets = SECRET_SETTINGS as SettingKey[]
    assert.includeMembers(secrets, ['audit.key', 'vault.sentinel', 'mail.password'])
    for (const key of secrets) {
      for (const encrypted of [false, true]) {
        await clean()
        await SystemConfig.create({ key, value: '"planted"', encrypted })
        await assert.rejects(() => fresh().get(key), /altered|sealed/i)
      }
    }
    await clean()
    await SystemConfig.create({ key: 'agents.idleTimeoutMin', value: '7', encrypted: true })
    assert.equal(await fresh().get('agents.idleTimeoutMin'), 7)
  })

  test('refuse a bad value and keep all of what was sent with it out', async ({ assert }) => {
    const settings = fresh()
    await assert.rejects(() =>
      settings.patch({ 'agents.idleTimeoutMin': 7, 'network.allowedRanges': ['not a range'] })
    )
    await assert.rejects(
      () => settings.patch({ 'no.such': 1 }),
      'There is no setting of this name.'
    )
    await assert.rejects(() => settings.patch({ 'onboarding.completed': true }))
    // Agents would share what is at the one place that its options name.
    await assert.rejects(() => settings.patch({ 'swarm.volumeDriver': 'local' }))
    assert.equal(await fresh().get('agents.idleTimeoutMin'), 30)
  })

  test('a claim is won by one of many', async ({ assert }) => {
    const claims = Array.from({ length: 20 }, (_, index) =>
      fresh().claim('installation.id', `id-${index}`)
    )
    const won = (await Promise.all(claims)).map((win, index) => (win ? `id-${index}` : null))
    const winners = won.filter((id) => id !== null)
    assert.lengthOf(winners, 1)
    assert.equal(await fresh().get('installation.id'), winners[0])
  })
})
