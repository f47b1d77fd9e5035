import { once } from 'node:events'
import { execFileSync, spawn } from 'node:child_process'
import { existsSync, realpathSync } from 'node:fs'
import { Socket } from 'node:net'
import { hostname } from 'node:os'
import { test } from '@japa/runner'
import { AgentFolder, FOLDER_MARK } from '#runtimes/drivers/process/agent_folder'
import { canSandbox } from '#runtimes/drivers/process/sandbox/sandbox'
import { closing, Egress } from '#runtimes/drivers/process/sandbox/egress'
import { Gate, GATE_PORT } from '#runtimes/drivers/process/sandbox/gate'
import { AGENT_HOST } from '#runtimes/launch'
import { ProcTable } from '#runtimes/drivers/process/proc_table'
import { Terminator } from '#runtimes/drivers/process/terminator'
import { processesOf } from '../runner/processes.mjs'
import { HERE, ProcessTrial } from '#tests/contracts/process_trial'
import { until } from '#tests/contracts/until'
import type { Sandboxes } from '#runtimes/drivers/process/sandbox/sandboxes'

const STRANGER = { uid: 413_001, gid: 413_001 }

if (canSandbox()) {
  test.group('A hostile agent of the process driver, at the kernel', (group) => {
    let trial: ProcessTrial

    group.each.setup(async () => {
      trial = await ProcessTrial.prepare()
      await trial.open(HERE)
      return () => trial.close()
    })

    const output = async (instance: Awaited<ReturnType<ProcessTrial['start']>>, command: string) =>
      (await trial.within.run(instance, command)).output

    const isThere = ({ networkFile }: Gate) => existsSync(networkFile)

    const gate = () => new Gate(realpathSync(trial.agentPath('')))

    test('gets no user namespace, in which it would be root', async ({ assert }) => {
      const attacker = await trial.start(trial.spec())
      for (const flags of ['--user', '--user --map-root-user --mount --net --pid --fork']) {
        assert.match(await output(attacker, `unshare ${flags} id 2>&1`), /not permitted/)
      }
    })

    test('takes terminals and queues of its own alone', async ({ assert }) => {
      const attacker = await trial.start(trial.spec())
      const mounts = await output(attacker, 'cat /proc/self/mounts')
      const last = (folder: string) =>
        mounts
          .split('\n')
          .filter((line) => line.includes(` ${folder} `))
          .at(-1)
      assert.match(last('/dev/pts')!, /max=256/)
      const take = `node -e "const held = []; try { for (;;) held.push(require('fs').openSync('/dev/ptmx', 'r+')) } catch { console.log(held.length) }"`
      assert.isAtMost(Number(await output(attacker, take)), 256)
    })

    test('sees the devices of its own network alone, and its limits', async ({ assert }) => {
      const attacker = await trial.start(trial.spec())
      const names = (await output(attacker, 'ls /sys/class/net')).trim().split(/\s+/)
      assert.sameMembers(names, ['lo', 'eth0'])
      if (!existsSync('/sys/fs/cgroup')) return
      const groups = (folder: string) => `ls ${folder} | head -3`
      assert.equal(
        await output(attacker, groups('/sys/fs/cgroup')),
        execFileSync('sh', ['-c', groups('/sys/fs/cgroup')]).toString()
      )
    })

    test('sees neither the machine’s name nor its own folder’s path', async ({ assert }) => {
      const given = trial.spec()
      const agent = await trial.start(given)
      const tell =
        'uname -n; cat /etc/hostname /etc/hosts; pwd; env; tr "\\0" " " </proc/$PPID/cmdline'
      const told = await output(agent, tell)
      for (const name of [given.name, trial.folder]) assert.notInclude(told, name)
      assert.notMatch(told, new RegExp(`\\b${RegExp.escape(hostname())}\\b`))
      assert.equal(told.split('\n', 1)[0], AGENT_HOST)
      assert.match(await output(agent, 'getent hosts $(uname -n)'), /^127\.0\.0\.1/)
      assert.notEqual(hostname(), AGENT_HOST)
    })

    test('is found whole by its own folder, from outside', async ({ assert }) => {
      const [given, other] = [trial.spec(), trial.spec()]
      await trial.start(given)
      const folder = realpathSync(trial.agentPath(given.name))
      const { mark } = new AgentFolder(folder, null)
      const agents = await new ProcTable().withVariable({ [FOLDER_MARK]: mark })
      assert.isNotEmpty(agents)
      const found = processesOf(folder)
      assert.includeMembers(found, agents)
      await trial.start(other)
      assert.sameMembers(processesOf(folder), found)
    })

    test('reaches its data whatever the files of Mosaic are made with', async ({
      assert,
      cleanup,
    }) => {
      const before = process.umask(0o077)
      cleanup(() => void process.umask(before))
      const agent = await trial.start(trial.spec())
      assert.equal(await output(agent, 'pwd'), '/run/agent/state\n')
    })

    test('finds its data at the path where it was before', async ({ assert }) => {
      const given = trial.spec()
      const agent = await trial.start(given)
      await output(agent, 'echo kept >notes')
      const before = realpathSync(trial.agentPath(given.name, 'state', 'notes'))
      assert.equal(await output(agent, `cat ${before}`), 'kept\n')
    })

    test('has no file that whoever started Mosaic left open', async ({ assert }) => {
      // As a supervisor does: behind a gap in the descriptors, where Node does not look.
      const program = `
        const { nothingElse } = await import('#runtimes/drivers/process/inherited_files')
        const { spawnSync } = await import('node:child_process')
        const run = (stdio) => spawnSync('readlink', ['/proc/self/fd/90'], { stdio }).stdout.toString().trim()
        console.log(JSON.stringify([run(['ignore', 'pipe']), run(nothingElse(['ignore', 'pipe']))]))`
      const stdio = Array.from({ length: 91 }, (_, at) =>
        at === 1 || at === 90 ? 'pipe' : 'ignore'
      )
      const mosaic = spawn(
        process.execPath,
        ['--import=@poppinss/ts-exec', '--input-type=module', '-e', program],
        {
          stdio: stdio as ('pipe' | 'ignore')[],
        }
      )
      let said = ''
      mosaic.stdout!.on('data', (bytes) => (said += bytes))
      await once(mosaic, 'close')
      const [open, closed] = JSON.parse(said) as string[]
      assert.match(open, /^(pipe|socket):/)
      assert.equal(closed, '/dev/null')
    })

    test('reads no name of another agent in the tree of cgroups', async ({ assert }) => {
      const victim = await trial.start(trial.spec())
      const attacker = await trial.start(trial.spec())
      const names = await output(attacker, `ls -R /sys/fs/cgroup 2>/dev/null | grep mosaic-user`)
      assert.notInclude(names, victim.name)
    })

    test('hands Mosaic no half connection by resetting what it takes', async ({ assert }) => {
      const attacker = await trial.start(trial.spec())
      const server = `node -e "require('net').createServer((s) => s.resetAndDestroy()).listen(4001, '0.0.0.0'); require('net').createServer((s) => s.end('first')).listen(4002, '0.0.0.0')"`
      await output(attacker, `${server} >/dev/null 2>&1 &`)
      const address = (await output(attacker, 'hostname -I')).trim()
      const { sockets } = gate()
      try {
        const dial = (port: number) => sockets.dial(address, port).catch((error: Error) => error)
        await until(async () => (await dial(4002)) instanceof Socket)
        const resets = await Promise.all(Array.from({ length: 50 }, () => dial(4001)))
        for (const end of resets) {
          assert.isTrue(end instanceof Socket || end instanceof Error)
          if (end instanceof Socket) end.on('error', () => {}).destroy()
        }
        for (const end of await Promise.all(Array.from({ length: 20 }, () => dial(4002)))) {
          const [said] = await once(end as Socket, 'data')
          assert.equal(String(said), 'first')
          ;(end as Socket).destroy()
        }
      } finally {
        sockets.close()
      }
    })

    test('closes no way out by waking two agents at once', async ({ assert, cleanup }) => {
      await trial.start(trial.spec())
      const { name } = gate()
      const sealed = new Egress(name, async () => 'sealed')
      cleanup(async () => void (await sealed.apply()))
      await sealed.apply()
      const egress = new Egress(name, async () => 'open')
      await Promise.all([egress.apply(), egress.apply(), egress.apply()])
      assert.isNull(egress.failure)
      assert.isTrue(egress.isOpen)

      const rules = execFileSync('iptables', ['-S', 'FORWARD'], { encoding: 'utf8' })
      const own = rules.split('\n').filter((line) => line.includes(`-i ag${name.slice(-10)}`))
      assert.match(own[0], /--ctstate DNAT -j DROP/)
      assert.match(own[1], /-j ACCEPT/)
    })

    test('is kept from this machine though another program removes the rules', async ({
      assert,
      cleanup,
    }) => {
      await trial.start(trial.spec())
      const { name } = gate()
      const end = `ag${name.slice(-10)}`
      const rulesOf = (chain: string, ...table: string[]) =>
        execFileSync('iptables', [...table, '-S', chain], { encoding: 'utf8' })
      const own = () =>
        [rulesOf('INPUT'), rulesOf('FORWARD'), rulesOf('POSTROUTING', '-t', 'nat')]
          .flatMap((rules) => rules.split('\n').filter((line) => line.includes(end)))
          .toSorted()
      const egress = new Egress(name, async () => 'open', 0)
      await egress.apply()
      cleanup(async () => void (await egress.apply()))
      const before = own()
      execFileSync('iptables', ['-D', 'INPUT', '-i', end, '-j', 'DROP'])
      execFileSync('iptables', ['-D', 'FORWARD', '-i', end, '-j', 'ACCEPT'])
      assert.lengthOf(own(), before.length - 2)
      await egress.apply()
      assert.deepEqual(own(), before)
      const [first] = rulesOf('FORWARD')
        .split('\n')
        .filter((line) => line.includes(`-i ${end}`))
      assert.match(first, /--ctstate DNAT -j DROP/)

      const patient = new Egress(name, async () => 'open')
      await patient.apply()
      execFileSync('iptables', ['-D', 'INPUT', '-i', end, '-j', 'DROP'])
      await patient.apply()
      assert.lengthOf(own(), before.length - 1)
    })

    test('leaves no network behind when Mosaic is killed, and none of another is taken', async ({
      assert,
      cleanup,
    }) => {
      await trial.start(trial.spec())
      /** First clears what earlier runs left. */
      for (let at = 0; at < 12; at++) await gate().clearLeft(closing)
      const [killed, working] = ['killed', 'working'].map((name) => new Gate(`/nowhere/${name}`))
      cleanup(() => working.leave(''))
      for (const one of [killed, working]) await one.enter()
      const listening = await working.listen(GATE_PORT)
      await working.sockets.close()
      await killed.sockets.close()
      assert.deepEqual([killed, working].map(isThere), [true, true])

      const next = await trial.open(HERE)
      await next.preflight()
      assert.deepEqual([killed, working, gate()].map(isThere), [false, true, true])

      listening.close()
      await once(listening, 'close')
      await gate().clearLeft(closing)
      assert.deepEqual([working, gate()].map(isThere), [false, true])
    })

    test('outlives no end by forgetting its variables, without cgroups too', async ({ assert }) => {
      const folder = new AgentFolder(trial.agentPath('forgetful'), STRANGER)
      const ids = [`--reuid=${STRANGER.uid}`, `--regid=${STRANGER.gid}`, '--clear-groups']
      const sandbox = ['--pid', '--fork', 'setpriv', ...ids, 'env', '-i', 'sleep', '60']
      const made = spawn('unshare', sandbox, {
        env: { PATH: process.env.PATH, [FOLDER_MARK]: folder.mark },
        stdio: 'ignore',
      })
      const ended = once(made, 'exit')
      const table = new ProcTable()
      await until(async () => (await table.ofUser(STRANGER.uid)).length > 0)

      const terminator = new Terminator(table, () => ({ cgroups: null }) as unknown as Sandboxes)
      const record = { version: 1, name: 'forgetful', agent: 'user/forgetful' } as const
      const killed = { ...record, installation: HERE, user: STRANGER, run: null }
      await terminator.killRest(killed, folder)
      assert.deepEqual(await table.ofUser(STRANGER.uid), [])
      await ended
    })
  })
}
