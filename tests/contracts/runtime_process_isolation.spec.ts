import { readdirSync, readFileSync, statSync } from 'node:fs'
import { chmod, mkdir, readFile, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from '@japa/runner'
import { usableRange } from '#runtimes/drivers/process/users'
import { installFakeOpenclaw } from '#tests/doubles/fake_openclaw'
import { fetchBy } from '#tests/contracts/gateway_fetch'
import { HERE, ProcessTrial } from '#tests/contracts/process_trial'
import type { ProcessDriver } from '#runtimes/drivers/process/driver'

/** Only root can assign users. Otherwise preflight warns instead. */
if (usableRange()) {
  test.group('Runtime | process | isolation', (group) => {
    let trial: ProcessTrial
    let driver: ProcessDriver

    group.each.setup(async () => {
      trial = await ProcessTrial.prepare()
      driver = await trial.open(HERE)
      return () => trial.close()
    })

    test('gives each agent a user that reaches nothing of others or of Mosaic', async ({
      assert,
    }) => {
      const victim = trial.spec()
      const other = await trial.start(victim)
      const database = join(trial.config.storage, 'mosaic.sqlite3')
      await writeFile(database, 'rows', { mode: 0o600 })
      const wanted = [
        trial.agentPath(victim.name),
        trial.agentPath(victim.name, 'state'),
        trial.agentPath(victim.name, 'secrets.json'),
        trial.agentPath(victim.name, 'agent.log'),
        `/proc/${other.id}/environ`,
        `/proc/${process.pid}/environ`,
        database,
      ]
      const agents = join(trial.config.storage, 'agents')
      const spy = await trial.start(trial.spec({ read: [...wanted, agents] }))
      const results = (await trial.log(spy)).split('\n').filter((line) => line.startsWith('read '))
      assert.lengthOf(results, wanted.length + 1)
      // A sandbox shows the agents' folder with only the agent's own folder in it.
      assert.match(results.pop()!, /: (EACCES|ENOENT|1 entries)$/)
      for (const result of results) assert.match(result, /: (EACCES|ENOENT)$/)
    })

    test('runs an agent without root’s groups, always as the same user', async ({ assert }) => {
      const status = (id: string, line: string) =>
        new RegExp(`^${line}:[ \\t]*(.*)$`, 'm').exec(
          readFileSync(`/proc/${id}/status`, 'utf8')
        )![1]
      const given = trial.spec()
      const first = await trial.start(given)
      const uid = Number(status(first.id, 'Uid').split('\t')[0])
      assert.isAtLeast(uid, 20_000)
      assert.equal(status(first.id, 'Uid'), Array(4).fill(uid).join('\t'))
      assert.equal(status(first.id, 'Gid'), Array(4).fill(uid).join('\t'))
      assert.equal(status(first.id, 'Groups').trim(), '')
      assert.match(status(first.id, 'CapEff'), /^0+$/)

      const second = await trial.start(trial.spec())
      assert.notEqual(Number(status(second.id, 'Uid').split('\t')[0]), uid)
      await driver.remove(first)
      const again = await trial.start(given)
      assert.equal(Number(status(again.id, 'Uid').split('\t')[0]), uid)
    })

    test('gives no two agents the same user, however many start at once', async ({ assert }) => {
      const small = await trial.open(HERE, { users: { first: 371_000, count: 8 } })
      const specs = Array.from({ length: 8 }, () => trial.spec({ exitCode: 0 }))
      await Promise.all(specs.map((given) => small.ensure(given, trial.patient())))
      const uids = specs.map(
        ({ name }) =>
          JSON.parse(readFileSync(trial.agentPath(name, 'instance.json'), 'utf8')).user.uid
      )
      assert.equal(new Set(uids).size, 8)
      assert.equal((await trial.failureOf(small, trial.spec())).reason, 'no_capacity')
    })

    test('makes readable for agents what lies behind a closed folder', async ({ assert }) => {
      const closed = join(trial.folder, 'closed')
      await mkdir(closed)
      await chmod(closed, 0o700)
      const entrypoint = join(closed, 'entrypoint.sh')
      await writeFile(entrypoint, await readFile(trial.config.entrypoint), { mode: 0o600 })
      const behind = await trial.open(HERE, {
        openclaw: [await installFakeOpenclaw(closed)],
        entrypoint,
      })
      const instance = await trial.start(trial.spec(), behind)
      const answer = await fetchBy(behind)(`${instance.endpoint}/healthz`)
      assert.equal(answer.status, 200)
    })

    test('hands data over that was made without users of their own', async ({ assert }) => {
      const shared = await trial.open(HERE, { users: false })
      const given = trial.spec()
      await shared.stop(await trial.start(given, shared), { graceMs: 5000 })
      const target = join(trial.folder, 'not-yours')
      await writeFile(target, 'of root', { mode: 0o600 })
      await symlink(target, trial.agentPath(given.name, 'state', 'link'))

      await trial.start(given)
      const { uid } = statSync(trial.agentPath(given.name, 'state'))
      assert.isAtLeast(uid, 20_000)
      assert.equal(statSync(trial.agentPath(given.name, 'state', 'openclaw.json')).uid, uid)
      assert.equal(statSync(target).uid, 0)
    })

    test('gives no endpoint while another process sits on the port', async ({ assert }) => {
      const bare = await trial.open(HERE, { sandbox: false })
      const instance = await trial.start(trial.spec(), bare)
      const file = trial.agentPath(instance.name, 'instance.json')
      const record = JSON.parse(readFileSync(file, 'utf8'))
      // A port on which this process listens, rather than the agent.
      const port = Number(new URL(trial.documents.url).port)
      await writeFile(file, JSON.stringify({ ...record, run: { ...record.run, port } }))
      assert.isNull((await bare.inspect(instance))!.endpoint)
    })

    test('keeps agents elsewhere when the storage lies behind a closed folder', async ({
      assert,
    }) => {
      const closed = join(trial.folder, 'closed')
      await mkdir(closed, { mode: 0o700 })
      const elsewhere = join(trial.folder, 'elsewhere')
      const change = { storage: join(closed, 'storage'), elsewhere }
      const behind = await trial.open(HERE, change)
      const given = trial.spec()
      const instance = await trial.start(given, behind)
      assert.lengthOf(readdirSync(elsewhere), 1)

      await chmod(closed, 0o755)
      const later = await trial.open(HERE, change)
      assert.equal((await later.inspect(instance))!.status, 'running')
    })

    test('lets no agent lose its data when the storage is closed later', async ({ assert }) => {
      const outer = join(trial.folder, 'outer')
      await mkdir(outer)
      const change = { storage: join(outer, 'storage'), elsewhere: join(trial.folder, 'elsewhere') }
      const before = await trial.open(HERE, change)
      await before.stop(await trial.start(trial.spec(), before), { graceMs: 5000 })

      await chmod(outer, 0o700)
      const after = await trial.open(HERE, change)
      const [finding] = await after.preflight()
      assert.equal(finding.code, 'storage_closed')
      assert.match(finding.hint, /chmod o\+x/)
      await chmod(outer, 0o755)
    })
  })
}
