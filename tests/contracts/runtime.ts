import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { createHash, randomUUID } from 'node:crypto'
import { setTimeout as after } from 'node:timers/promises'
import { fetchBy } from '#tests/contracts/gateway_fetch'
import { rejectsWithCode, type SuiteTest } from '#tests/contracts/suite'
import type { Assert } from '@japa/assert'
import { Secret } from '@adonisjs/core/helpers'
import { isRuntimeError } from '#runtimes/errors'
import type {
  Instance,
  InstanceSpec,
  Observed,
  RuntimeCapabilities,
  RuntimeDriver,
} from '#runtimes/contract'

/** Test environment of a driver. Its gateways keep sessions as OpenClaw does. */
export interface RuntimeTrial {
  /** Opens a driver over the same engine: the first, or another one as after a restart of Mosaic. */
  open(installation: string): Promise<RuntimeDriver>
  /** Where instances fetch their documents; any address for drivers that fetch none. */
  apiUrl: string
  /** The same for instances of one installation, if it differs. */
  apiUrlOf?(installation: string): string
  /**
   * Opens a driver that cannot start anything, for example because OpenClaw is not installed. Its preflight
   * reports that. Undefined if nothing can be missing.
   */
  broken?(): Promise<RuntimeDriver>
  /** Kills an instance from outside, as a crash or an admin would. */
  kill(instance: Instance): Promise<void>
  /** Creates a foreign object of this name. Returns a check that it is unchanged. */
  plant(name: string): Promise<() => Promise<boolean>>
  /** Runs test code within an instance, as an agent's own tools would. Required for every isolation. */
  within?: InstanceTrial
  /** Kills the engine and starts it again. Undefined if there is no engine. */
  restartEngine?(): Promise<void>
  /** Stops and removes everything. */
  close(): Promise<void>
}

export interface InstanceTrial {
  /** Runs a command in a shell of the instance. */
  run(instance: Instance, command: string): Promise<{ code: number | null; output: string }>
  /** Connects from within. Returns `connected`, `timeout`, or an error code. */
  connect(instance: Instance, host: string, port: number): Promise<string>
  /** Allocates that much memory and keeps it. Rejects if the instance does not survive. */
  takeMemory(instance: Instance, megabytes: number): Promise<void>
}

/**
 * Known gaps of an engine whose driver still keeps the contract. Each must be documented for those who choose
 * it. Empty by default.
 */
export interface EngineGaps {
  /** Does not report out-of-memory kills; such an end is `exited_early`. */
  outOfMemory?: boolean
  /** Instances survive the engine, and nobody observes their end meanwhile. */
  survivesEngine?: boolean
}

/** Maximum wait. Long enough for a slow container on a busy machine. */
const DEADLINE_MS = 20_000
/** Milliseconds from a start until its caller leaves: shorter than any process start. */
const LEAVING_MS = 5
/** Maximum time to notice a crash. Normally one second; the rest is margin for a busy machine. */
const NOTICED_MS = 5000

const HERE = 'installation-here'
const ELSEWHERE = 'installation-elsewhere'

/** Starts twice as many processes as a test allows, and prints how many it got. */
const TOO_MANY_PROCESSES = `
  const { spawn } = require('node:child_process')
  const all = Array.from({ length: 128 }, () => spawn('sleep', ['30'], { stdio: 'ignore' }))
  for (const one of all) one.on('error', () => {})
  setTimeout(() => {
    console.log(all.filter(({ pid }) => pid).length)
    for (const one of all) one.kill('SIGKILL')
  }, 500)`

export interface RuntimeSuite {
  /** The driver's name, for test titles. */
  name: string
  /** The driver's capabilities, which select the tests. */
  capabilities: RuntimeCapabilities
  /** Creates a trial for one test. */
  prepare: () => Promise<RuntimeTrial>
  gaps?: EngineGaps
}

/**
 * The contract of a runtime driver, as tests:
 *
 *   import { test } from '@japa/runner'
 *   runtimeSuite(test, { name: 'acme', capabilities, prepare: () => AcmeTrial.prepare() })
 */
export function runtimeSuite(
  test: SuiteTest,
  { name: title, capabilities, prepare, gaps = {} }: RuntimeSuite
): void {
  test.group(`Runtime contract | ${title}`, (group) => {
    let trial: RuntimeTrial
    let driver: RuntimeDriver

    group.each.setup(async () => {
      trial = await prepare()
      driver = await trial.open(HERE)
      return () => trial.close()
    })

    const never = () => ({ signal: new AbortController().signal })

    function spec(change: Partial<InstanceSpec> = {}): InstanceSpec {
      const id = randomUUID().slice(0, 8)
      const pure = {
        name: `mosaic-user-${id}`,
        agent: `user/${id}`,
        installation: HERE,
        apiUrl: trial.apiUrlOf?.(change.installation ?? HERE) ?? trial.apiUrl,
        image: null,
        limits: { memoryMb: 512, cpus: 1, processes: 64 },
        ...change,
      }
      const hash = createHash('sha256').update(JSON.stringify(pure)).digest('hex')
      return { generation: 1, hash, token: new Secret(`token-${randomUUID()}`), ...pure }
    }

    const refOf = ({ name }: { name: string }) => ({ name, state: null })

    async function ready(instance: Instance, by: RuntimeDriver): Promise<void> {
      const deadline = performance.now() + DEADLINE_MS
      while (performance.now() < deadline) {
        const response = await fetchBy(by)(`${instance.endpoint}/startupz`).catch(() => null)
        if (response?.ok) return
        await after(20)
      }
      throw new Error(`The gateway of ${instance.name} was not ready in time`)
    }

    async function start(given: InstanceSpec, by = driver): Promise<Instance> {
      const instance = await by.ensure(given, never())
      await ready(instance, by)
      return instance
    }

    async function chat(
      instance: Instance,
      { token }: InstanceSpec,
      text: string,
      by = driver
    ): Promise<string> {
      const response = await fetchBy(by)(`${instance.endpoint}/v1/chat/completions`, {
        method: 'POST',
        headers: {
          'authorization': `Bearer ${token.release()}`,
          'x-openclaw-session-key': 'contract',
        },
        body: JSON.stringify({ model: 'openclaw', messages: [{ role: 'user', content: text }] }),
        signal: AbortSignal.timeout(DEADLINE_MS),
      })
      const body: any = await response.json()
      return body.choices[0].message.content
    }

    async function listed(by = driver): Promise<Observed[]> {
      return Array.fromAsync(by.list())
    }

    async function answers(endpoint: string, withinMs = 1000): Promise<boolean> {
      return fetchBy(driver)(`${endpoint}/healthz`, { signal: AbortSignal.timeout(withinMs) }).then(
        () => true,
        () => false
      )
    }

    async function observedAs(
      name: string,
      status: Observed['status'],
      assert: Assert
    ): Promise<Observed> {
      const deadline = performance.now() + NOTICED_MS
      for (;;) {
        const observed = await driver.inspect(refOf({ name }))
        if (observed?.status === status) return observed
        if (performance.now() > deadline) assert.equal(observed?.status, status)
        await after(20)
      }
    }

    test('says what it can do', ({ assert }) => {
      assert.deepEqual(driver.capabilities, capabilities)
      assert.equal(typeof driver.suspend === 'function', capabilities.suspend)
      assert.equal(typeof driver.resume === 'function', capabilities.suspend)
      assert.equal(typeof driver.events === 'function', capabilities.events)
    })

    test('gives findings with a next step', async ({ assert }) => {
      for (const finding of await driver.preflight()) {
        assert.oneOf(finding.severity, ['error', 'warning'])
        for (const text of [finding.code, finding.message, finding.hint]) assert.isNotEmpty(text)
      }
    })

    test('finds no fault where an instance starts', async ({ assert }) => {
      await start(spec())
      const findings = await driver.preflight()
      assert.deepEqual(
        findings.filter(({ severity }) => severity === 'error'),
        []
      )
    })

    test('finds the fault where no instance starts', async ({ assert }) => {
      // Not every driver can lack something.
      if (!trial.broken) return
      const broken = await trial.broken()
      const failure = await broken.ensure(spec(), never()).then(
        () => null,
        (error: unknown) => error
      )
      assert.isTrue(isRuntimeError(failure), 'ensure rejects with a RuntimeError')
      const errors = (await broken.preflight()).filter(({ severity }) => severity === 'error')
      assert.isNotEmpty(errors, 'preflight has an error')
    })

    test('starts an instance whose gateway takes the token of the spec only', async ({
      assert,
    }) => {
      const given = spec()
      const instance = await start(given)
      assert.match(instance.endpoint, /^http:\/\/[^/]+:\d+$/)
      assert.equal(await chat(instance, given, 'hello'), 'Turn 1: hello')

      const refused = await fetchBy(driver)(`${instance.endpoint}/sessions/contract/history`, {
        headers: { authorization: 'Bearer another' },
      })
      assert.equal(refused.status, 401)
    })

    test('gives back the same instance for the same spec', async ({ assert }) => {
      const given = spec()
      const first = await start(given)
      assert.deepEqual(await driver.ensure(given, never()), first)
      assert.lengthOf(await listed(), 1)
    })

    test('makes one instance for twenty callers at once', async ({ assert }) => {
      const given = spec()
      const calls = Array.from({ length: 20 }, () => driver.ensure(given, never()))
      const ids = new Set((await Promise.all(calls)).map(({ id }) => id))
      assert.equal(ids.size, 1)
      assert.lengthOf(await listed(), 1)
    })

    test('makes one instance for callers of several drivers at once', async ({ assert }) => {
      const given = spec()
      const drivers = [driver, await trial.open(HERE), await trial.open(HERE)]
      const calls = drivers.flatMap((one) => [
        one.ensure(given, never()),
        one.ensure(given, never()),
      ])
      const ids = new Set((await Promise.all(calls)).map(({ id }) => id))
      assert.equal(ids.size, 1)
    })

    test('keeps instances of different names apart', async ({ assert }) => {
      const [one, two] = [spec(), spec()]
      const instances = await Promise.all([start(one), start(two)])
      assert.notEqual(instances[0].endpoint, instances[1].endpoint)
      assert.sameMembers(
        (await listed()).map(({ name }) => name),
        [one.name, two.name]
      )
    })

    test('replaces the instance when its spec has changed, and keeps the data', async ({
      assert,
    }) => {
      const given = spec()
      const first = await start(given)
      await chat(first, given, 'before')
      const changed = { ...given, hash: 'f'.repeat(64), generation: 2 }
      const second = await start(changed)

      assert.notEqual(second.id, first.id)
      assert.equal(await chat(second, changed, 'after'), 'Turn 2: after')
      const [observed, ...others] = await listed()
      assert.lengthOf(others, 0)
      assert.equal(observed.specHash, changed.hash)
      assert.equal(observed.generation, 2)
    })

    test('takes the token of the present spec alone, after a restart or in place of another', async ({
      assert,
    }) => {
      const given = spec()
      await chat(await start(given), given, 'one')
      for (const [generation, sleeps] of [true, false].entries()) {
        if (sleeps) await driver.stop({ name: given.name, state: null }, { graceMs: 2000 })
        const token = new Secret(randomUUID())
        const hash = createHash('sha256').update(token.release()).digest('hex')
        const renewed = { ...given, token, hash, generation: generation + 2 }
        const instance = await start(renewed)
        assert.match(await chat(instance, renewed, 'again'), /^Turn \d: again$/)
        const refused = await fetchBy(driver)(`${instance.endpoint}/sessions/contract/history`, {
          headers: { authorization: `Bearer ${given.token.release()}` },
        })
        assert.equal(refused.status, 401)
      }
    })

    test('sees nothing where nothing is', async ({ assert }) => {
      assert.isNull(await driver.inspect(refOf(spec())))
      assert.lengthOf(await listed(), 0)
    })

    test('sees what it started', async ({ assert }) => {
      const given = spec({ generation: 7 })
      const began = Date.now()
      const instance = await start(given)
      const observed = await driver.inspect(instance)
      assert.containSubset(observed, {
        name: given.name,
        agent: given.agent,
        id: instance.id,
        generation: 7,
        specHash: given.hash,
        status: 'running',
        endpoint: instance.endpoint,
        exitCode: null,
        outOfMemory: false,
        failure: null,
        state: instance.state,
      })
      assert.closeTo(observed!.startedAt!.getTime(), began, DEADLINE_MS)
    })

    test('sees an instance that was killed from outside, and why', async ({ assert }) => {
      const instance = await start(spec())
      await trial.kill(instance)
      const observed = await observedAs(instance.name, 'exited', assert)
      assert.isNull(observed.endpoint)
      assert.equal(observed.failure?.reason, 'exited_early')
    })

    test('starts anew what was killed, with its data', async ({ assert }) => {
      const given = spec()
      const first = await start(given)
      await chat(first, given, 'before')
      await trial.kill(first)
      await observedAs(given.name, 'exited', assert)

      const second = await start(given)
      assert.notEqual(second.id, first.id)
      assert.equal(await chat(second, given, 'after'), 'Turn 2: after')
    })

    test('stops, which is no failure', async ({ assert }) => {
      const instance = await start(spec())
      await driver.stop(instance, { graceMs: 5000 })
      assert.isFalse(await answers(instance.endpoint))
      const observed = await driver.inspect(instance)
      assert.equal(observed!.status, 'exited')
      assert.isNull(observed!.endpoint)
      assert.isNull(observed!.failure)
    })

    test('stops twice, at once or one after another', async ({ assert }) => {
      const instance = await start(spec())
      const stop = () => driver.stop(instance, { graceMs: 5000 })
      await Promise.all([stop(), stop()])
      await stop()
      assert.isFalse(await answers(instance.endpoint))
    })

    test('takes a missing instance for stopped, removed and purged', async () => {
      const missing = refOf(spec())
      await driver.stop(missing, { graceMs: 0 })
      await driver.remove(missing)
      await driver.purge(missing)
    })

    test('keeps the data over a stop', async ({ assert }) => {
      const given = spec()
      const first = await start(given)
      await chat(first, given, 'one')
      await driver.stop(first, { graceMs: 5000 })
      assert.equal(await chat(await start(given), given, 'two'), 'Turn 2: two')
    })

    test('removes the instance and keeps the data', async ({ assert }) => {
      const given = spec()
      const first = await start(given)
      await chat(first, given, 'one')
      await driver.remove(first)
      assert.isNull(await driver.inspect(first))
      assert.lengthOf(await listed(), 0)
      assert.isFalse(await answers(first.endpoint))
      assert.equal(await chat(await start(given), given, 'two'), 'Turn 2: two')
    })

    test('purges the data of one agent and of no other', async ({ assert }) => {
      const [doomed, kept] = [spec(), spec()]
      const [first, other] = [await start(doomed), await start(kept)]
      await chat(first, doomed, 'one')
      await chat(other, kept, 'one')
      await driver.purge(first)

      assert.isNull(await driver.inspect(first))
      assert.equal(await chat(await start(doomed), doomed, 'new'), 'Turn 1: new')
      assert.equal(await chat(other, kept, 'two'), 'Turn 2: two')
    })

    test('lists what runs and what does not, each once', async ({ assert }) => {
      const [running, stopped] = [await start(spec()), await start(spec())]
      await driver.stop(stopped, { graceMs: 5000 })
      const found = await listed()
      assert.sameMembers(
        found.map(({ name, status }) => `${name} ${status}`),
        [`${running.name} running`, `${stopped.name} exited`]
      )
    })

    test('neither shows nor touches what another installation made', async ({ assert }) => {
      const other = await trial.open(ELSEWHERE)
      const given = spec({ installation: ELSEWHERE })
      const instance = await start(given, other)

      assert.lengthOf(await listed(), 0)
      assert.isNull(await driver.inspect(instance))
      await driver.stop(instance, { graceMs: 0 })
      await driver.remove(instance)
      await driver.purge(instance)
      await rejectsWithCode(
        assert,
        () => driver.ensure({ ...given, installation: HERE }, never()),
        'E_RUNTIME_NAME_TAKEN'
      )
      assert.equal(await chat(instance, given, 'still here', other), 'Turn 1: still here')
    })

    test('leaves a foreign thing of the same name as it is', async ({ assert }) => {
      const given = spec()
      const isUntouched = await trial.plant(given.name)
      await rejectsWithCode(assert, () => driver.ensure(given, never()), 'E_RUNTIME_NAME_TAKEN')
      await driver.stop(refOf(given), { graceMs: 0 })
      await driver.remove(refOf(given))
      await driver.purge(refOf(given))
      assert.isTrue(await isUntouched())
    })

    test('starts nothing for a caller who has left already', async ({ assert }) => {
      const signal = AbortSignal.abort(new Error('left'))
      await assert.rejects(() => driver.ensure(spec(), { signal }), 'left')
      assert.lengthOf(
        (await listed()).filter(({ status }) => status !== 'exited'),
        0
      )
    })

    test('leaves nothing running when the caller leaves in the middle', async ({ assert }) => {
      const given = spec()
      const caller = new AbortController()
      const leave = () => caller.abort(new Error('left'))
      // Progress reports are optional: without one, the caller leaves by the clock.
      const clock = setTimeout(leave, LEAVING_MS)
      const started = await driver
        .ensure(given, { signal: caller.signal, onProgress: leave })
        .catch((error: Error) => error)
      clearTimeout(clock)
      if (started instanceof Error) {
        assert.equal(started.message, 'left')
        assert.lengthOf(
          (await listed()).filter(({ status }) => status !== 'exited'),
          0
        )
      }
      assert.equal(await chat(await start(given), given, 'later'), 'Turn 1: later')
    })

    test('is found again by a new driver', async ({ assert }) => {
      const given = spec()
      const instance = await start(given)
      await driver.close?.()

      const next = await trial.open(HERE)
      assert.containSubset(await next.inspect(refOf(given)), { id: instance.id, status: 'running' })
      assert.deepEqual(
        (await listed(next)).map(({ id }) => id),
        [instance.id]
      )
      assert.deepEqual(await next.ensure(given, never()), instance)
      await next.stop(refOf(given), { graceMs: 5000 })
      assert.isFalse(await answers(instance.endpoint))
    })

    test('shows the last lines of a log, without the token', async ({ assert }) => {
      const given = spec()
      const instance = await start(given)
      await chat(instance, given, given.token.release())
      const read = (tail: number) => Array.fromAsync(driver.logs(instance, { tail }))

      const all = await read(1000)
      assert.isNotEmpty(all)
      assert.deepEqual(await read(1), all.slice(-1))
      assert.lengthOf(await read(0), 0)
      assert.notInclude(all.join('\n'), given.token.release())
      assert.lengthOf(await Array.fromAsync(driver.logs(refOf(spec()), { tail: 10 })), 0)
    })

    if (capabilities.limits) {
      const limits = { memoryMb: 192, cpus: 0.5, processes: 64 }

      test('holds an instance to its processes', async ({ assert }) => {
        const instance = await start(spec({ limits }))
        const { output } = await trial.within!.run(instance, `node -e "${TOO_MANY_PROCESSES}"`)
        assert.isAtLeast(Number(output), 1)
        assert.isBelow(Number(output), limits.processes)
        assert.isTrue(await answers(instance.endpoint, DEADLINE_MS))
      })

      test('holds an instance to its processor time', async ({ assert }) => {
        const instance = await start(spec({ limits }))
        const { output } = await trial.within!.run(
          instance,
          `node -e "const end = Date.now() + 2000; while (Date.now() < end); console.log(process.cpuUsage().user / 1e6)"`
        )
        // Half a core for two seconds, plus margin for the periods at both ends.
        assert.isBelow(Number(output), 1.5)
      })

      test('ends an instance that takes more memory than it may, and tells', async ({ assert }) => {
        const given = spec({ limits })
        const instance = await start(given)
        await trial.within!.takeMemory(instance, 4 * limits.memoryMb).catch(() => {})
        const observed = await observedAs(instance.name, 'exited', assert)
        assert.equal(observed.outOfMemory, !gaps.outOfMemory)
        const reason = gaps.outOfMemory ? 'exited_early' : 'out_of_memory'
        assert.equal(observed.failure?.reason, reason)

        assert.equal(await chat(await start(given), given, 'again'), 'Turn 1: again')
      })

      test('keeps what one instance takes from the others', async ({ assert }) => {
        const neighbour = spec({ limits })
        const [hungry, other] = await Promise.all([start(spec({ limits })), start(neighbour)])
        await trial.within!.takeMemory(hungry, 4 * limits.memoryMb).catch(() => {})
        await observedAs(hungry.name, 'exited', assert)
        assert.equal(await chat(other, neighbour, 'unmoved'), 'Turn 1: unmoved')
      })
    }

    if (capabilities.isolation === 'container') {
      const within = (instance: Instance, command: string) =>
        trial.within!.run(instance, command).then(({ output }) => output)

      test('gives no privilege and no capability', async ({ assert }) => {
        const instance = await start(spec())
        const status = await within(instance, 'cat /proc/self/status')
        for (const set of ['CapInh', 'CapPrm', 'CapEff', 'CapBnd', 'CapAmb']) {
          assert.match(status, new RegExp(`^${set}:\\s*0+$`, 'm'))
        }
        assert.match(status, /^NoNewPrivs:\s*1$/m)
        assert.match(status, /^Seccomp:\s*2$/m)
        assert.notMatch(status, /^Uid:.*\b0\b/m)
        assert.notMatch(status, /^Gid:.*\b0\b/m)
      })

      test('lets an instance write to its own data only', async ({ assert }) => {
        const instance = await start(spec())
        const places = '/ /etc /bin /usr /home /home/node /run/mosaic /var /sys /proc/sys'
        const output = await within(
          instance,
          `for place in ${places}; do touch $place/written 2>/dev/null && echo "wrote $place"; done; ` +
            'touch "$OPENCLAW_STATE_DIR/written" /tmp/written && echo fine'
        )
        assert.equal(output.trim(), 'fine')
      })

      test('shows an instance neither an engine nor the machine', async ({ assert }) => {
        const instance = await start(spec())
        const sockets = 'find / -xdev -type s 2>/dev/null; ls /run/docker.sock /var/run/docker.sock'
        assert.notMatch(await within(instance, sockets), /^\/\S*sock$/m)
        const processes = await within(instance, 'cat /proc/[0-9]*/comm')
        assert.notMatch(processes, /^(dockerd|containerd|systemd|podman|conmon)$/m)
        assert.notMatch(
          await within(instance, 'ls /dev'),
          /\b([sv]d[a-z]\d*|nvme\w+|mem|kmsg|kvm)\b/
        )
      })

      test('gives an instance a network of its own', async ({ assert }) => {
        const instance = await start(spec())
        const own = await within(instance, 'cat /proc/net/dev')
        const machines = readFileSync('/proc/net/dev', 'utf8')
        const names = (text: string) =>
          [...text.matchAll(/^\s*([\w.-]+):/gm)].map(([, name]) => name)
        assert.sameMembers(names(own), ['lo', 'eth0'])
        assert.notSameMembers(names(own), names(machines))
      })

      test('keeps one instance from reaching another', async ({ assert }) => {
        const [one, other] = await Promise.all([start(spec()), start(spec())])
        const { hostname, port } = new URL(other.endpoint)
        for (const wanted of [Number(port), Number(port) + 1]) {
          assert.notEqual(await trial.within!.connect(one, hostname, wanted), 'connected')
        }
        assert.isTrue(await answers(other.endpoint))
      })

      test('lets an instance reach Mosaic and no other service of the machine', async ({
        assert,
      }) => {
        const instance = await start(spec())
        const mosaic = new URL(trial.apiUrlOf?.(HERE) ?? trial.apiUrl)
        const canary = createServer((socket) => socket.destroy()).listen(0, '0.0.0.0')
        await once(canary, 'listening')
        try {
          const reach = (port: number) => trial.within!.connect(instance, mosaic.hostname, port)
          assert.equal(await reach(Number(mosaic.port)), 'connected')
          assert.notEqual(await reach((canary.address() as AddressInfo).port), 'connected')
        } finally {
          canary.close()
        }
      })

      test('shows no secret in the environment or the arguments', async ({ assert }) => {
        const given = spec()
        const instance = await start(given)
        const all = await within(instance, 'cat /proc/[0-9]*/environ /proc/[0-9]*/cmdline')
        assert.include(all, given.agent)
        assert.notInclude(all, given.token.release())
        const modes = await within(instance, 'ls -ln /run/mosaic/')
        assert.match(modes, /^-r--------\s+1 1000\s+1000\s.*secrets\.json$/m)
      })
    }

    if (capabilities.isolation === 'sandbox-shared-network') {
      const within = (instance: Instance, command: string) =>
        trial.within!.run(instance, command).then(({ output }) => output)

      test('gives a sandbox no capability', async ({ assert }) => {
        const status = await within(await start(spec()), 'cat /proc/self/status')
        for (const set of ['CapInh', 'CapPrm', 'CapEff', 'CapBnd', 'CapAmb']) {
          assert.match(status, new RegExp(`^${set}:\\s*0+$`, 'm'))
        }
        assert.match(status, /^NoNewPrivs:\s*1$/m)
      })

      test('shows a sandbox neither the processes nor the files of another', async ({ assert }) => {
        const [given, other] = [spec(), spec()]
        const [instance] = await Promise.all([start(given), start(other)])
        const all = await within(instance, 'cat /proc/[0-9]*/environ /proc/[0-9]*/cmdline')
        assert.include(all, given.agent)
        assert.notInclude(all, other.agent)
        const files = await within(
          instance,
          `find / -name proc -prune -o -type f -readable -path '*${other.name}*' -print 2>/dev/null`
        )
        assert.equal(files, '')
        assert.notInclude(all, given.token.release())
      })

      test('lets a sandbox write to its own data only', async ({ assert }) => {
        const instance = await start(spec())
        const places = '/ /etc /bin /usr /var /sys /proc/sys /home /root /opt /run'
        const output = await within(
          instance,
          `for place in ${places}; do touch $place/written 2>/dev/null && echo "wrote $place"; done; ` +
            'touch "$OPENCLAW_STATE_DIR/written" /tmp/written && echo fine'
        )
        assert.equal(output.trim(), 'fine')
      })
    }

    if (capabilities.suspend) {
      test('suspends and resumes, as often as it is told', async ({ assert }) => {
        const given = spec()
        const instance = await start(given)
        await driver.suspend!(instance)
        await driver.suspend!(instance)
        assert.equal((await driver.inspect(instance))!.status, 'suspended')
        assert.isFalse(await answers(instance.endpoint, 200))

        await driver.resume!(instance)
        await driver.resume!(instance)
        assert.equal((await driver.inspect(instance))!.status, 'running')
        assert.equal(await chat(instance, given, 'awake'), 'Turn 1: awake')
      })

      test('lets a suspended instance go on when it is wanted', async ({ assert }) => {
        const given = spec()
        const instance = await start(given)
        await driver.suspend!(instance)
        assert.deepEqual(await driver.ensure(given, never()), instance)
        assert.equal(await chat(instance, given, 'awake'), 'Turn 1: awake')
      })

      test('stops a suspended instance in time', async ({ assert }) => {
        const instance = await start(spec())
        await driver.suspend!(instance)
        await driver.stop(instance, { graceMs: 5000 })
        assert.equal((await driver.inspect(instance))!.status, 'exited')
      })

      test('a page-out gives way to a resume, and the instance is as it was', async ({
        assert,
      }) => {
        if (!driver.pageOut) return
        const given = spec()
        const instance = await start(given)
        const { signal } = new AbortController()
        // Has no effect on a running instance.
        await driver.pageOut(instance, { signal })
        await driver.suspend!(instance)
        const pageOut = driver.pageOut(instance, { signal })
        await driver.resume!(instance)
        await pageOut
        assert.equal((await driver.inspect(instance))!.status, 'running')
        assert.equal(await chat(instance, given, 'awake'), 'Turn 1: awake')

        await driver.suspend!(instance)
        await driver.pageOut(instance, { signal })
        assert.equal((await driver.inspect(instance))!.status, 'suspended')
        await driver.resume!(instance)
        assert.equal(await chat(instance, given, 'still here'), 'Turn 2: still here')
        await driver.pageOut(refOf(spec()), { signal })
      })

      test('tells what an instance takes, running and suspended, and of none nothing', async ({
        assert,
      }) => {
        if (!driver.usage) return
        const instance = await start(spec())
        const running = await driver.usage(instance)
        // The engine of some trials is on another machine.
        if (running) assert.isAbove(running.resident, 0)
        await driver.suspend!(instance)
        const suspended = await driver.usage(instance)
        assert.equal(suspended === null, running === null)
        await driver.stop(instance, { graceMs: 1000 })
        assert.isNull(await driver.usage(refOf(spec())))
        const machine = await driver.memory?.()
        if (machine) assert.isAtMost(machine.available, machine.total)
      })

      test('has nothing to suspend or resume where nothing is', async () => {
        await driver.suspend!(refOf(spec()))
        await driver.resume!(refOf(spec()))
      })
    }

    if (capabilities.events) {
      test('tells what happens to an instance, in order', async ({ assert }) => {
        const events = listen(driver)
        const instance = await start(spec())
        await trial.kill(instance)
        await observedAs(instance.name, 'exited', assert)
        await driver.remove(instance)
        assert.deepEqual(await events.first(3), [
          `started ${instance.name}`,
          `exited ${instance.name}`,
          `removed ${instance.name}`,
        ])
      })

      test('notices the end of an instance that a former driver started', async ({ assert }) => {
        const instance = await start(spec())
        await driver.close?.()
        const next = await trial.open(HERE)
        const events = listen(next)
        await listed(next)
        await trial.kill(instance)
        assert.deepEqual(await events.first(1), [`exited ${instance.name}`])
      })

      test('tells events again after the engine was away', async ({ assert }) => {
        // Drivers without an engine cannot lose one.
        if (!trial.restartEngine) return
        const [fallen, second] = [spec(), spec()]
        await start(fallen)
        const events = listen(driver, 2 * DEADLINE_MS)
        await listed()
        await trial.restartEngine()
        await start(second)
        await driver.remove(refOf(second))
        assert.includeMembers(await events.until(`removed ${second.name}`), [
          ...(gaps.survivesEngine ? [] : [`exited ${fallen.name}`]),
          `started ${second.name}`,
          `removed ${second.name}`,
        ])
      }).timeout(4 * DEADLINE_MS)

      test('ends its events with the signal', async ({ assert }) => {
        const listener = new AbortController()
        const seen = Array.fromAsync(driver.events!(listener.signal))
        listener.abort()
        assert.deepEqual(await seen, [])
      })
    }
  })
}

/** Collects a driver's events from now on. */
function listen(driver: RuntimeDriver, withinMs = NOTICED_MS) {
  const listener = new AbortController()
  const events = driver.events!(listener.signal)[Symbol.asyncIterator]()
  const gather = async (isEnough: (seen: string[]) => boolean): Promise<string[]> => {
    const seen: string[] = []
    const deadline = AbortSignal.timeout(withinMs)
    deadline.addEventListener('abort', () => listener.abort(), { once: true })
    while (!isEnough(seen)) {
      const { value, done } = await events.next()
      if (done) break
      seen.push(`${value.type} ${value.name}`)
    }
    listener.abort()
    return seen
  }
  return {
    first: (count: number) => gather((seen) => seen.length >= count),
    until: (event: string) => gather((seen) => seen.includes(event)),
  }
}
