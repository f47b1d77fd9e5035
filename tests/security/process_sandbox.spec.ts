import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readdirSync, statSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { join } from 'node:path'
import { test } from '@japa/runner'
import { canSandbox } from '#runtimes/drivers/process/sandbox/sandbox'
import { Sandboxes } from '#runtimes/drivers/process/sandbox/sandboxes'
import { proveIsolation } from '#runtimes/drivers/process/sandbox/isolation_probe'
import { ProcTable } from '#runtimes/drivers/process/proc_table'
import { HERE, ProcessTrial } from '#tests/contracts/process_trial'
import { fetchBy } from '#tests/contracts/gateway_fetch'
import type { ProcessDriver } from '#runtimes/drivers/process/driver'
import type { Instance } from '#runtimes/contract'

/** Starts more processes than allowed, and prints how many it got. */
const TOO_MANY = `node -e "
  const { spawn } = require('node:child_process')
  const all = Array.from({ length: 200 }, () => spawn('sleep', ['30'], { stdio: 'ignore' }).on('error', () => {}))
  setTimeout(() => { console.log(all.filter(({ pid }) => pid).length); for (const one of all) one.kill('SIGKILL') }, 500)"`

/** Listens at every address, always reports success, and prints what it received. */
const IMPOSTOR = (host: string, port: string) => `
  require('node:net').createServer((socket) => {
    socket.on('error', () => {}).on('data', (bytes) => console.log('heard ' + bytes))
    socket.write('HTTP/1.1 200 OK\\r\\ncontent-length: 2\\r\\n\\r\\n{}')
  }).listen(${port}, '${host}', () => console.log('listening'))`

/** Forks and exits every 0.3 ms, outside the agent's group and session. */
const SURVIVOR = `setsid sh -c 'while :; do (setsid sh -c "sleep 0.0003" &) ; done' >/dev/null 2>&1 &`

if (canSandbox()) {
  test.group('A hostile agent of the process driver', (group) => {
    let trial: ProcessTrial
    let driver: ProcessDriver

    group.each.setup(async () => {
      trial = await ProcessTrial.prepare()
      driver = await trial.open(HERE)
      return () => trial.close()
    })

    const output = async (instance: Awaited<ReturnType<ProcessTrial['start']>>, command: string) =>
      (await trial.within.run(instance, command)).output

    test('sees no process, port or folder of another', async ({ assert }) => {
      const victim = await trial.start(trial.spec())
      const attacker = await trial.start(trial.spec())
      const words = await output(attacker, 'cat /proc/[0-9]*/cmdline /proc/[0-9]*/environ 2>&1')
      assert.notInclude(words, victim.name)
      const sockets = await output(attacker, 'cat /proc/net/tcp | tail -n +2 | wc -l')
      assert.isBelow(Number(sockets), 20)
      assert.equal((await output(attacker, `ls ${trial.agentPath('')}`)).trim(), attacker.name)
    })

    test('gets no connection in place of another, whatever it binds', async ({ assert }) => {
      const attacker = await trial.start(trial.spec())
      await output(
        attacker,
        `node -e "for (const port of [3334, 18789, 18791]) require('net').createServer().on('error', () => {}).listen(port, '0.0.0.0')" >/dev/null 2>&1 & sleep 1`
      )
      const given = trial.spec()
      const victim = await trial.start(given)
      assert.isTrue(trial.documents.asked.some(({ agent }) => agent === given.agent))
      assert.isNotNull((await driver.inspect(victim))!.endpoint)
    })

    test('reaches Mosaic’s listener and no other service of the machine', async ({ assert }) => {
      const attacker = await trial.start(trial.spec())
      const victim = await trial.start(trial.spec())
      const { hostname, port } = new URL(trial.apiUrl)
      assert.equal(await trial.within.connect(attacker, hostname, Number(port)), 'connected')

      const canary = createServer((socket) => socket.destroy()).listen(0, '0.0.0.0')
      await once(canary, 'listening')
      try {
        const own = await output(victim, 'hostname -I')
        const canaryPort = (canary.address() as AddressInfo).port
        for (const host of ['127.0.0.1', hostname, '169.254.169.254']) {
          assert.notEqual(await trial.within.connect(attacker, host, canaryPort), 'connected')
        }
        for (const place of [18789, 18790]) {
          assert.notEqual(
            await trial.within.connect(attacker, own.trim().split(' ')[0], place),
            'connected'
          )
        }
      } finally {
        canary.close()
      }
    })

    test('shares no temporary folder with root or with another', async ({ assert }) => {
      const attacker = await trial.start(trial.spec())
      const name = `planted-${attacker.id}`
      const places = ['/tmp', '/var/tmp', '/dev/shm']
      for (const place of places) await output(attacker, `mkdir ${place}/${name}`)
      for (const place of places) assert.isFalse(existsSync(`${place}/${name}`))
      assert.equal((await output(attacker, 'ls -A /run')).includes('docker.sock'), false)
    })

    test('is what two probes find out before agents run', async ({ assert }) => {
      const errors = (await driver.preflight()).filter(({ severity }) => severity === 'error')
      assert.deepEqual(errors, [])
      const home = new Sandboxes(join(trial.config.storage, 'agents'), async () => 'sealed')
      const uids: [number, number] = [413_000, 413_001]
      const input = { sandboxes: home, uids, node: process.execPath }
      assert.deepEqual(await proveIsolation(input), [])
      assert.deepEqual(
        (await proveIsolation({ ...input, seen: ['/etc/passwd'] })).map(({ code }) => code),
        ['process_sandbox_leaks']
      )
      await home.close()
    })

    test('is not started where the probes find out otherwise', async ({ assert }) => {
      const leaking = await trial.open(HERE, { seen: ['/etc/passwd'] })
      const given = trial.spec()
      const error = await trial.failureOf(leaking, given)
      assert.equal(error.reason, 'not_isolated')
      assert.match(error.message, /would reach \/etc\/passwd/)
      assert.isNull(await leaking.inspect({ name: given.name, state: null }))
      assert.isFalse(existsSync(trial.agentPath(given.name)))
    })

    test('has no more processes than it may, also without cgroups', async ({ assert }) => {
      const without = await trial.open(HERE, { cgroups: false })
      assert.isFalse(without.capabilities.limits)
      const given = { ...trial.spec(), limits: { memoryMb: 512, cpus: 1, processes: 64 } }
      const attacker = await trial.start(given, without)
      const started = Number(await output(attacker, TOO_MANY))
      assert.isAtLeast(started, 1)
      assert.isBelow(started, 64)
      const raised = await output(attacker, 'prlimit --pid $$ --nproc=1000:1000; echo $?')
      assert.notMatch(raised, /(^|\n)0\n/)
    })

    test('outlives no stop by forking', async ({ assert }) => {
      const attacker = await trial.start(trial.spec())
      await output(attacker, SURVIVOR)
      const { uid } = statSync(`/proc/${attacker.id}`)
      await driver.stop(attacker, { graceMs: 300 })
      assert.deepEqual(await new ProcTable().ofUser(uid), [])
      await driver.purge(attacker)
      assert.isFalse(readdirSync(trial.agentPath('')).includes(attacker.name))
    })
  })

  test.group('A hostile agent without a sandbox', (group) => {
    let trial: ProcessTrial
    let driver: ProcessDriver

    group.each.setup(async () => {
      trial = await ProcessTrial.prepare({ sandbox: false, users: { first: 412_000, count: 500 } })
      driver = await trial.open(HERE)
      return () => trial.close()
    })

    const within = async (instance: Instance, command: string) =>
      (await trial.within.run(instance, command)).output

    test('gets no connection while it sits on the address of another', async ({ assert }) => {
      const victim = await trial.start(trial.spec())
      const { port } = new URL(victim.endpoint)
      assert.isNotNull(await driver.dial(new URL(victim.endpoint)))
      await trial.kill(victim)
      await trial.ended(victim)
      // This process runs as another user than the agent.
      const impostor = createServer().listen(Number(port), '0.0.0.0')
      await once(impostor, 'listening')
      try {
        const again = await driver.ensure(trial.spec({ exitCode: 0 }), trial.patient())
        assert.isOk(again)
        await assert.rejects(() => driver.dial(new URL(victim.endpoint)))
      } finally {
        impostor.close()
      }
    })

    for (const [who, user, host] of [
      ['another agent', 412_499, '0.0.0.0'],
      ['a user of the machine', 65_533, '::'],
    ] as const) {
      test(`hears nothing as ${who} where a gateway does not listen yet`, async ({ assert }) => {
        const given = trial.spec()
        const instance = await driver.ensure(given, trial.patient())
        // The stopped gateway never listens, yet the agent lives: only the kernel knows who answers.
        process.kill(Number(instance.id), 'SIGSTOP')
        const endpoint = new URL(instance.endpoint)
        const impostor = spawn(process.execPath, ['-e', IMPOSTOR(host, endpoint.port)], {
          uid: user,
          gid: user,
          cwd: '/',
          stdio: ['ignore', 'pipe', 'inherit'],
        })
        let said = ''
        impostor.stdout.on('data', (bytes) => (said += bytes))
        try {
          await once(impostor.stdout, 'data')
          const failure = await driver.dial(endpoint).catch((error) => error)
          assert.equal(failure.code, 'EACCES')
          await assert.rejects(() =>
            fetchBy(driver)(`${instance.endpoint}/v1/models`, {
              headers: { authorization: `Bearer ${given.token.release()}` },
            })
          )
          assert.isNull((await driver.inspect(instance))!.endpoint)
          assert.equal(said, 'listening\n')
        } finally {
          impostor.kill('SIGKILL')
          process.kill(Number(instance.id), 'SIGCONT')
        }
      })
    }

    test('has no more processes than it may', async ({ assert }) => {
      const given = { ...trial.spec(), limits: { memoryMb: 512, cpus: 1, processes: 64 } }
      const started = Number(await within(await trial.start(given), TOO_MANY))
      assert.isAtLeast(started, 1)
      assert.isBelow(started, 64)
    })

    test('is one person’s, unless an operator has accepted more', async ({ assert }) => {
      const strict = await trial.open(HERE, { unisolated: undefined })
      await trial.start(trial.spec(), strict)
      const error = await trial.failureOf(strict, trial.spec())
      assert.equal(error.reason, 'not_isolated')
      assert.match(error.help!, /UNISOLATED_AGENTS=accept/)
      const codes = (await strict.preflight()).map(({ code }) => code)
      assert.include(codes, 'process_unisolated')
    })
  })
}
