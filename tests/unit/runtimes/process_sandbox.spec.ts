import { test } from '@japa/runner'
import { Gate } from '#runtimes/drivers/process/sandbox/gate'
import { sandboxScript } from '#runtimes/drivers/process/sandbox/sandbox'
import type { Mount } from '#runtimes/drivers/process/sandbox/view'

test.group('The script of a sandbox', () => {
  const script = (mounts: Mount[], processes: number | null = null) =>
    sandboxScript({
      gate: new Gate('/tmp/here/agents'),
      user: { uid: 200_001, gid: 200_001 },
      agents: '/tmp/here/agents',
      folder: '/tmp/here/agents/one',
      workingFolder: '/run/agent/state',
      mounts,
      nameServers: null,
      cgroups: [],
      processes,
      command: ['/bin/true'],
    })

  const mountsTo = (made: string, path: string) =>
    made.split('\n').filter((line) => line.startsWith('mount') && line.endsWith(` '${path}'`))

  test('mounts at a neutral path what is hidden or not, and nothing where it was', ({ assert }) => {
    for (const path of ['/tmp/here/packages', '/srv/packages']) {
      const made = script([{ path, at: '/run/openclaw/node_modules' }])
      assert.include(made, `<'${path}'`)
      assert.lengthOf(mountsTo(made, '/run/openclaw/node_modules'), 1)
      assert.isEmpty(mountsTo(made, path))
    }
  })

  test('puts a program back at its own path only if that is hidden', ({ assert }) => {
    const node = (path: string) => mountsTo(script([{ path, at: path }]), path)
    assert.lengthOf(node('/tmp/here/bin/node'), 1)
    assert.isEmpty(node('/usr/bin/node'))
  })

  test('limits processes of the user where no cgroup counts them', ({ assert }) => {
    assert.include(script([], 64), 'prlimit --nproc=64:64 setpriv')
    assert.notInclude(script([]), 'prlimit')
  })
})
