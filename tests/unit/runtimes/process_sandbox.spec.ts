import { test } from '@japa/runner'
import { Gate } from '#runtimes/drivers/process/sandbox/gate'
import { sandboxScript } from '#runtimes/drivers/process/sandbox/sandbox'

test.group('The script of a sandbox', () => {
  const script = (programs: string[]) =>
    sandboxScript({
      gate: new Gate('/tmp/here/agents'),
      user: { uid: 200_001, gid: 200_001 },
      agents: '/tmp/here/agents',
      folder: '/tmp/here/agents/one',
      workingFolder: '/tmp/here/agents/one/state',
      programs,
      nameServers: null,
      cgroups: [],
      command: ['/bin/true'],
    })

  test('writes nothing into a folder that is put back', ({ assert }) => {
    const tree = '/tmp/here/node_modules'
    const made = script([tree, `${tree}/node/bin/node`])
    assert.include(made, `<'${tree}'`)
    assert.notInclude(made, `${tree}/node/bin/node`)
  })

  test('puts each path back once', ({ assert }) => {
    const made = script(['/tmp/here/node', '/tmp/here/node'])
    assert.lengthOf(made.match(/mount .*--bind .* '\/tmp\/here\/node'/g)!, 1)
  })
})
