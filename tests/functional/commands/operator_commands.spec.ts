import { test } from '@japa/runner'
import ace from '@adonisjs/core/services/ace'
import app from '@adonisjs/core/services/app'
import db from '@adonisjs/lucid/services/db'
import testUtils from '@adonisjs/core/services/test_utils'
import { DateTime } from 'luxon'
import AgentRestart from '#commands/agent_restart'
import AgentStart from '#commands/agent_start'
import AgentStop from '#commands/agent_stop'
import ArchiveIngest from '#commands/archive_ingest'
import BreakglassCreate from '#commands/breakglass_create'
import BreakglassReset from '#commands/breakglass_reset'
import Doctor from '#commands/doctor'
import SettingsSet from '#commands/settings_set'
import SystemAgentsApply from '#commands/system_agents_apply'
import AuditEvent from '#models/audit_event'
import TokenCreate from '#commands/token_create'
import BreakglassUser from '#models/breakglass_user'
import SystemConfig from '#models/system_config'
import User from '#models/user'
import UserAgentConfig from '#models/user_agent_config'
import settings from '#settings/services/main'
import { readinessChecks } from '#installation/readiness'
import { recordPlugin } from '#plugins/plugin_audit'
import { runCommand } from '#tests/operator'
import { UserFactory } from '#database/factories/user_factory'

const PASSWORD = 'correct horse battery'

test.group('Commands for operators', (group) => {
  group.each.setup(() => testUtils.db().wrapInGlobalTransaction())
  group.each.setup(() => {
    ace.ui.switchMode('raw')
    return () => ace.ui.switchMode('normal')
  })

  test('breakglass:create makes an admin that can sign in, and claims the installation', async ({
    assert,
  }) => {
    await SystemConfig.query().delete()
    const made = await runCommand(BreakglassCreate, ['--username=Root', '--json'], `${PASSWORD}\n`)
    assert.equal(made.exitCode, 0, made.err)
    const { username, userId } = JSON.parse(made.out)
    assert.equal(username, 'root')
    assert.isTrue((await User.findOrFail(userId)).isAdmin)
    assert.notInclude(made.out, PASSWORD)

    const signIn = await app.container.make('identity.signIn')
    const { user } = await signIn.withPassword(
      { username: 'root', password: PASSWORD },
      '192.0.2.1'
    )
    assert.equal(user.id, userId)
    const onboarding = await app.container.make('onboarding')
    assert.isTrue(await onboarding.isClaimed())
  })

  test('breakglass:create asks where no name is given', async ({ assert }) => {
    const command = await ace.create(BreakglassCreate, [])
    command.prompt.trap('Username').replyWith('asked')
    command.prompt.trap('Password (at least 12 characters)').replyWith(PASSWORD)
    await command.exec()
    assert.equal(command.exitCode, 0)
    assert.isNotNull(await BreakglassUser.findBy('username', 'asked'))
  })

  test('breakglass:create refuses what the setup would refuse, on standard error', async ({
    assert,
  }) => {
    await runCommand(BreakglassCreate, ['--username=root'], PASSWORD)
    const wrong: [string, string, RegExp][] = [
      ['other', 'short', /at least 12/],
      ['other', 'x'.repeat(73), /72 bytes/],
      ['root', PASSWORD, /E_USERNAME_TAKEN/],
    ]
    for (const [username, password, message] of wrong) {
      const refused = await runCommand(BreakglassCreate, [`--username=${username}`], password)
      assert.equal(refused.exitCode, 1)
      assert.equal(refused.out, '')
      assert.match(refused.err, message)
    }
  })

  test('breakglass:reset sets a new password and ends sessions and access tokens', async ({
    assert,
  }) => {
    await runCommand(BreakglassCreate, ['--username=root'], PASSWORD)
    const root = await User.findByOrFail('name', 'root')
    const tokens = await app.container.make('identity.tokens')
    const token = (await tokens.create(root, { name: 'test' })).value!.release()
    assert.equal(await tokens.verify(token, 'manage'), root.id)
    const reset = await runCommand(BreakglassReset, ['--username=root'], 'another long password')
    assert.equal(reset.exitCode, 0, reset.err)

    const signIn = await app.container.make('identity.signIn')
    const attempt = (password: string) =>
      signIn.withPassword({ username: 'root', password }, '192.0.2.2')
    await assert.rejects(() => attempt(PASSWORD), 'The name or the password is wrong.')
    assert.equal((await attempt('another long password')).user.name, 'root')

    assert.isNull(await tokens.verify(token, 'manage'))

    const unknown = await runCommand(BreakglassReset, ['--username=nobody'], PASSWORD)
    assert.equal(unknown.exitCode, 1)
  })

  test('token:create prints a token that works', async ({ assert }) => {
    const user = await UserFactory.create()
    const made = await runCommand(TokenCreate, [user.email!, '--json'])
    assert.equal(made.exitCode, 0, made.err)
    const { token } = JSON.parse(made.out)
    const tokens = await app.container.make('identity.tokens')
    assert.equal(await tokens.verify(token), user.id)

    const unknown = await runCommand(TokenCreate, ['nobody@example.test', '--json'])
    assert.equal(unknown.exitCode, 1)
    assert.match(unknown.err, /E_UNKNOWN_USER/)
  })

  test('no command makes a token, an agent or an archive of a deactivated user', async ({
    assert,
  }) => {
    const user = await UserFactory.apply('admin').merge({ deactivatedAt: DateTime.utc() }).create()
    await UserAgentConfig.create({ userId: user.id, fallbackModels: [], archiveEnabled: true })
    const declared = app.makePath('examples/system_agents.json')
    const commands: [Parameters<typeof runCommand>[0], string[]][] = [
      [TokenCreate, [user.email!]],
      [AgentStart, [user.email!]],
      [AgentRestart, [user.email!]],
      [ArchiveIngest, [user.email!]],
      [SystemAgentsApply, [declared, `--as=${user.email}`]],
    ]
    for (const [Command, args] of commands) {
      const refused = await runCommand(Command, args)
      assert.deepEqual([refused.exitCode, refused.out], [1, ''], Command.commandName)
      assert.match(refused.err, /^E_USER_DEACTIVATED: .+\.\n.+\.$/)
    }
    assert.lengthOf(await db.from('auth_access_tokens').where('tokenable_id', user.id), 0)
    const everyone = await runCommand(ArchiveIngest, ['--json'])
    assert.equal(JSON.parse(everyone.out).archives, 0)
    assert.equal((await runCommand(AgentStop, [user.email!])).exitCode, 0)
  })

  test('settings:set stores JSON, texts and what comes on standard input', async ({ assert }) => {
    assert.equal((await runCommand(SettingsSet, ['agents.idleTimeoutMin', '12'])).exitCode, 0)
    assert.equal(await settings.get('agents.idleTimeoutMin'), 12)
    await runCommand(SettingsSet, ['oidc.clientId', 'mosaic'])
    assert.equal(await settings.get('oidc.clientId'), 'mosaic')
    await runCommand(SettingsSet, ['oidc.clientSecret', '-'], 'a client secret\n')
    assert.equal(await settings.get('oidc.clientSecret'), 'a client secret')

    const kept = await runCommand(SettingsSet, [
      'agents.idleTimeoutMin',
      '99',
      '--if-unset',
      '--json',
    ])
    assert.deepEqual(JSON.parse(kept.out), { key: 'agents.idleTimeoutMin', changed: false })
    assert.equal(await settings.get('agents.idleTimeoutMin'), 12)

    for (const args of [
      ['no.such', '1'],
      ['agents.idleTimeoutMin', 'soon'],
    ]) {
      const refused = await runCommand(SettingsSet, args)
      assert.equal(refused.exitCode, 1)
      assert.isNotEmpty(refused.err)
    }
  })

  test('settings:set takes a secret from standard input alone, as it is', async ({ assert }) => {
    for (const text of ['null', '"quoted"', '12345']) {
      await runCommand(SettingsSet, ['oidc.clientSecret', '-'], `${text}\n`)
      assert.equal(await settings.get('oidc.clientSecret'), text)
    }
    for (const more of [[], ['--dry-run'], ['--if-unset']]) {
      const refused = await runCommand(SettingsSet, ['oidc.clientSecret', 's3cret', ...more])
      assert.equal(refused.exitCode, 1)
      assert.match(refused.err, /^E_SECRET_IN_ARGUMENTS: .+\.\n.+\.$/)
      assert.notInclude(refused.err, 's3cret')
    }
    const large = await runCommand(SettingsSet, ['oidc.clientSecret', '-'], 'x'.repeat(65_537))
    assert.match(large.err, /^E_INPUT_TOO_LARGE: /)
    assert.equal(await settings.get('oidc.clientSecret'), '12345')

    assert.equal((await runCommand(SettingsSet, ['oidc.clientSecret', 'null'])).exitCode, 0)
    assert.isNull(await settings.get('oidc.clientSecret'))
  })

  test('settings:set reads no text as a number, and any other value as JSON', async ({
    assert,
  }) => {
    await runCommand(SettingsSet, ['oidc.clientId', '12345'])
    assert.equal(await settings.get('oidc.clientId'), '12345')
    await runCommand(SettingsSet, ['oidc.clientId', '-'], '678\n')
    assert.equal(await settings.get('oidc.clientId'), '678')
    await runCommand(SettingsSet, ['oidc.clientId', '"mosaic"'])
    assert.equal(await settings.get('oidc.clientId'), 'mosaic')
    await runCommand(SettingsSet, ['docker.egress', '"sealed"'])
    assert.equal(await settings.get('docker.egress'), 'sealed')
    await runCommand(SettingsSet, ['network.allowedRanges', '-'], '["10.0.0.0/8"]')
    assert.deepEqual(await settings.get('network.allowedRanges'), ['10.0.0.0/8'])
    await runCommand(SettingsSet, ['oidc.clientId', 'null'])
    assert.isNull(await settings.get('oidc.clientId'))
  })

  test("settings:set changes what is the operator's, and notes it", async ({ assert }) => {
    const host = 'tcp://engine.test:2375'
    const tried = await runCommand(SettingsSet, ['docker.host', host, '--dry-run', '--json'])
    assert.deepEqual(JSON.parse(tried.out), { key: 'docker.host', changed: false })
    assert.isNull(await settings.get('docker.host'))
    const wrong = await runCommand(SettingsSet, ['docker.host', 'engine', '--dry-run'])
    assert.equal(wrong.exitCode, 1)

    const set = await runCommand(SettingsSet, ['docker.host', host, '--json'])
    assert.deepEqual(JSON.parse(set.out), { key: 'docker.host', changed: true })
    assert.equal(await settings.get('docker.host'), host)
    const event = await AuditEvent.findByOrFail('action', 'settings.changed')
    assert.isNull(event.actorId)
    assert.deepEqual(event.details, { keys: ['docker.host'] })
  })

  test('archive:ingest refuses a user who keeps no archive', async ({ assert }) => {
    const user = await UserFactory.create()
    const refused = await runCommand(ArchiveIngest, [user.email!, '--json'])
    assert.equal(refused.exitCode, 1)
    assert.equal(refused.out, '')
    assert.match(refused.err, /^E_NO_ARCHIVE: .+\.\n.+\.$/)
    const everyone = await runCommand(ArchiveIngest, ['--json'])
    assert.equal(everyone.exitCode, 0)
  })

  test('no command changes a database that a newer version has changed', async ({ assert }) => {
    await settings.set('runtime.driver', 'memory')
    await db.table('adonis_schema').insert({ name: 'database/migrations/9999_later', batch: 2 })
    const refused = await runCommand(SettingsSet, ['agents.idleTimeoutMin', '12'])
    assert.equal(refused.exitCode, 1)
    assert.match(refused.err, /^E_DATABASE_NEWER: .+\.\n.+\.$/)
    assert.isNull(await SystemConfig.findBy('key', 'agents.idleTimeoutMin'))

    const unrecorded = await recordPlugin(app, 'plugin.added', { name: 'acme' })
    assert.match(unrecorded!, /E_DATABASE_NEWER/)
    assert.isNull(await AuditEvent.findBy('action', 'plugin.added'))

    const examined = await runCommand(Doctor, ['--json'])
    assert.equal(examined.exitCode, 1)
    const [{ area, severity, message }] = JSON.parse(examined.out).findings
    assert.deepEqual([area, severity], ['database', 'error'])
    assert.match(message, /newer version/)

    const { isHealthy, checks } = await (await readinessChecks(app)).run()
    assert.isTrue(isHealthy)
    const migrations = checks.find(({ name }) => name === 'migrations')
    assert.include(migrations, {
      status: 'warning',
      message: 'A newer version has changed the database.',
    })
  })

  test('doctor finds nothing wrong here, and says so with its status', async ({ assert }) => {
    await settings.set('runtime.driver', 'memory')
    const { exitCode, out } = await runCommand(Doctor, ['--json'])
    assert.deepEqual(JSON.parse(out), { healthy: true, findings: [] })
    assert.equal(exitCode, 0)
  })
})
