import { mkdtempSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from '@japa/runner'
import { openCgroups } from '#runtimes/drivers/process/sandbox/cgroups'

const LIMITS = { memoryMb: 512, cpus: 1.5, processes: 64 }

test.group('Cgroups of agents, version 2', (group) => {
  let root: string

  group.each.setup(() => {
    root = mkdtempSync(join(tmpdir(), 'mosaic-cgroups-'))
    writeFileSync(join(root, 'cgroup.controllers'), 'cpu memory pids')
    writeFileSync(join(root, 'cgroup.subtree_control'), '')
    return () => rmSync(root, { recursive: true })
  })

  /** The kernel makes these files; a folder of a test has to. */
  function made(...path: string[]): string {
    const folder = join(root, ...path)
    mkdirSync(folder, { recursive: true })
    for (const file of ['cgroup.subtree_control', 'cgroup.freeze', 'cgroup.kill']) {
      writeFileSync(join(folder, file), '')
    }
    return folder
  }

  const inFile = (...path: string[]) => readFileSync(join(root, ...path), 'utf8')

  test('holds an agent to its limits where the controllers are handed down', ({ assert }) => {
    made('mosaic')
    const cgroups = openCgroups('mosaic', root)!
    made('mosaic', 'agent')
    writeFileSync(join(root, 'mosaic', 'cgroup.subtree_control'), 'cpu memory pids')
    const again = openCgroups('mosaic', root)!
    assert.deepEqual(again.prepare('agent', LIMITS), [join(root, 'mosaic/agent/cgroup.procs')])
    assert.equal(inFile('mosaic/agent/memory.max'), String(512 * 1024 * 1024))
    assert.equal(inFile('mosaic/agent/cpu.max'), '150000 100000')
    assert.equal(inFile('mosaic/agent/pids.max'), '65')
    assert.equal(inFile('cgroup.subtree_control'), '+memory +cpu +pids')
    assert.isFalse(cgroups.isFrozen('agent'))
  })

  test('freezes and kills all of an agent at once', ({ assert }) => {
    made('mosaic', 'agent')
    const cgroups = openCgroups('mosaic', root)!
    assert.isTrue(cgroups.freeze('agent', true))
    assert.isTrue(cgroups.isFrozen('agent'))
    cgroups.kill('agent')
    assert.equal(inFile('mosaic/agent/cgroup.kill'), '1')
    assert.isTrue(cgroups.freeze('agent', false))
    assert.isFalse(cgroups.isFrozen('agent'))
  })

  test('counts the processes of an agent that were killed for lack of memory', ({ assert }) => {
    const folder = made('mosaic', 'agent')
    const cgroups = openCgroups('mosaic', root)!
    assert.isNull(cgroups.outOfMemoryKills('agent'))
    writeFileSync(join(folder, 'memory.events'), 'oom 3\noom_kill 2\noom_group_kill 0\n')
    assert.equal(cgroups.outOfMemoryKills('agent'), 2)
  })

  test('takes what is no cgroup for none', ({ assert }) => {
    const cgroups = openCgroups('mosaic', root)!
    assert.isFalse(cgroups.freeze('nobody', true))
    cgroups.kill('nobody')
    assert.isNull(openCgroups('mosaic', join(root, 'missing')))
  })
})
