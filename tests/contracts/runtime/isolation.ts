import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { HERE, type RuntimeStage } from '#tests/contracts/runtime/stage'
import type { SuiteTest } from '#tests/contracts/suite'

/** What an instance can see and reach from within, by the kind of its isolation. */
export function isolationTests(test: SuiteTest, stage: RuntimeStage): void {
  const { isolation } = stage.capabilities
  if (isolation === 'container') containerTests(test, stage)
  if (isolation === 'sandbox-shared-network') sandboxTests(test, stage)
}

function containerTests(test: SuiteTest, stage: RuntimeStage): void {
  const { spec, start, answers } = stage

  test('gives no privilege and no capability', async ({ assert }) => {
    const instance = await start(spec())
    const status = await stage.within(instance, 'cat /proc/self/status')
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
    const output = await stage.within(
      instance,
      `for place in ${places}; do touch $place/written 2>/dev/null && echo "wrote $place"; done; ` +
        'touch "$OPENCLAW_STATE_DIR/written" /tmp/written && echo fine'
    )
    assert.equal(output.trim(), 'fine')
  })

  test('shows an instance neither an engine nor the machine', async ({ assert }) => {
    const instance = await start(spec())
    const sockets = 'find / -xdev -type s 2>/dev/null; ls /run/docker.sock /var/run/docker.sock'
    assert.notMatch(await stage.within(instance, sockets), /^\/\S*sock$/m)
    const processes = await stage.within(instance, 'cat /proc/[0-9]*/comm')
    assert.notMatch(processes, /^(dockerd|containerd|systemd|podman|conmon)$/m)
    assert.notMatch(
      await stage.within(instance, 'ls /dev'),
      /\b([sv]d[a-z]\d*|nvme\w+|mem|kmsg|kvm)\b/
    )
  })

  test('gives an instance a network of its own', async ({ assert }) => {
    const instance = await start(spec())
    const own = await stage.within(instance, 'cat /proc/net/dev')
    const machines = readFileSync('/proc/net/dev', 'utf8')
    const names = (text: string) => [...text.matchAll(/^\s*([\w.-]+):/gm)].map(([, name]) => name)
    assert.sameMembers(names(own), ['lo', 'eth0'])
    assert.notSameMembers(names(own), names(machines))
  })

  test('keeps one instance from reaching another', async ({ assert }) => {
    const [one, other] = await Promise.all([start(spec()), start(spec())])
    const { hostname, port } = new URL(other.endpoint)
    for (const wanted of [Number(port), Number(port) + 1]) {
      assert.notEqual(await stage.trial.within!.connect(one, hostname, wanted), 'connected')
    }
    assert.isTrue(await answers(other.endpoint))
  })

  test('lets an instance reach Mosaic and no other service of the machine', async ({ assert }) => {
    const instance = await start(spec())
    const mosaic = new URL(stage.trial.apiUrlOf?.(HERE) ?? stage.trial.apiUrl)
    const canary = createServer((socket) => socket.destroy()).listen(0, '0.0.0.0')
    await once(canary, 'listening')
    try {
      const reach = (port: number) => stage.trial.within!.connect(instance, mosaic.hostname, port)
      assert.equal(await reach(Number(mosaic.port)), 'connected')
      assert.notEqual(await reach((canary.address() as AddressInfo).port), 'connected')
    } finally {
      canary.close()
    }
  })

  test('shows no secret in the environment or the arguments', async ({ assert }) => {
    const given = spec()
    const instance = await start(given)
    const all = await stage.within(instance, 'cat /proc/[0-9]*/environ /proc/[0-9]*/cmdline')
    assert.include(all, given.agent)
    assert.notInclude(all, given.token.release())
    const modes = await stage.within(instance, 'ls -ln /run/mosaic/')
    assert.match(modes, /^-r--------\s+1 1000\s+1000\s.*secrets\.json$/m)
  })
}

function sandboxTests(test: SuiteTest, stage: RuntimeStage): void {
  const { spec, start } = stage

  test('gives a sandbox no capability', async ({ assert }) => {
    const status = await stage.within(await start(spec()), 'cat /proc/self/status')
    for (const set of ['CapInh', 'CapPrm', 'CapEff', 'CapBnd', 'CapAmb']) {
      assert.match(status, new RegExp(`^${set}:\\s*0+$`, 'm'))
    }
    assert.match(status, /^NoNewPrivs:\s*1$/m)
  })

  test('shows a sandbox neither the processes nor the files of another', async ({ assert }) => {
    const [given, other] = [spec(), spec()]
    const [instance] = await Promise.all([start(given), start(other)])
    const all = await stage.within(instance, 'cat /proc/[0-9]*/environ /proc/[0-9]*/cmdline')
    assert.include(all, given.agent)
    assert.notInclude(all, other.agent)
    const files = await stage.within(
      instance,
      `find / -name proc -prune -o -type f -readable -path '*${other.name}*' -print 2>/dev/null`
    )
    assert.equal(files, '')
    assert.notInclude(all, given.token.release())
  })

  test('lets a sandbox write to its own data only', async ({ assert }) => {
    const instance = await start(spec())
    const places = '/ /etc /bin /usr /var /sys /proc/sys /home /root /opt /run'
    const output = await stage.within(
      instance,
      `for place in ${places}; do touch $place/written 2>/dev/null && echo "wrote $place"; done; ` +
        'touch "$OPENCLAW_STATE_DIR/written" /tmp/written && echo fine'
    )
    assert.equal(output.trim(), 'fine')
  })
}
