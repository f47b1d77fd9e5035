import { test } from '@japa/runner'
import { Gate } from '#runtimes/drivers/process/sandbox/gate'
import { sandboxScript } from '#runtimes/drivers/process/sandbox/sandbox'

test.group('The script of a sandbox', () => {
  const script = (programs: string[], processes: number | null = null) =>
    sandboxScript({
      gate: new Gate('/tmp/here/agents'),
      user: { uid: 200_001, gid: 200_001 },
      agents: '/tmp/here/agents',
      folder: '/tmp/here/agents/one',
      workingFolder: '/tmp/here/agents/one/state',
      programs,
      nameServers: null,
      cgroups: [],
      processes,
      command: ['/bin/true'],
    })

  test('writes nothing into a folder that is put back', ({ assert }) => {
    const tree = '/tmp/here/node_modules'
    const made = script([tree, `${tree}/node/bin/node`])
    assert.include(made, `<'${tree}'`)
    assert.notInclude(made, `${tree}/node/bin/node`)
  })

  test('limits processes of the user where no cgroup counts them', ({ assert }) => {
    assert.include(script([], 64), 'prlimit --nproc=64:64 setpriv')
    assert.notInclude(script([]), 'prlimit')
  })

  test('puts each path back once', ({ assert }) => {
    const made = script(['/tmp/here/node', '/tmp/here/node'])
    assert.lengthOf(made.match(/mount .*--bind .* '\/tmp\/here\/node'/g)!, 1)
  })
})
