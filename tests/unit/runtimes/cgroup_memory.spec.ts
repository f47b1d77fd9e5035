import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from '@japa/runner'
import { cgroupMemory } from '#runtimes/cgroup_memory'
import { ContainerMemory } from '#runtimes/drivers/docker/container_memory'
import { hasSwapRoom, plainSwapAreas, readMachineMemory } from '#runtimes/machine_memory'

const MB = 1024 * 1024

test.group('The memory of a control group', (group) => {
  let folder: string

  group.each.setup(() => {
    folder = mkdtempSync(join(tmpdir(), 'mosaic-memory-'))
    return () => rmSync(folder, { recursive: true })
  })

  const put = (files: Record<string, string | number>) => {
    for (const [file, value] of Object.entries(files)) writeFileSync(join(folder, file), `${value}`)
  }
  const read = (file: string) => readFileSync(join(folder, file), 'utf8')

  test('is none where there is no group', ({ assert }) => {
    assert.isNull(cgroupMemory(folder))
  })

  test('version 2 tells what is resident and what is in swap', async ({ assert }) => {
    put({ 'memory.current': 700 * MB, 'memory.swap.current': 12 * MB })
    const memory = cgroupMemory(folder)!
    assert.deepEqual(await memory.use(), { resident: 700 * MB, swapped: 12 * MB })
    assert.isFalse(memory.canPageOut)
    await memory.pageOut(async () => true)
    assert.isFalse(existsSync(join(folder, 'memory.reclaim')))
  })

  test('version 2 allows swap, reclaims step by step, and forbids it again', async ({ assert }) => {
    put({ 'memory.current': 200 * MB, 'memory.reclaim': '', 'memory.swap.max': 0 })
    const memory = cgroupMemory(folder)!
    assert.isTrue(memory.canPageOut)
    const steps: string[] = []
    await memory.pageOut(async () => {
      if (read('memory.reclaim')) steps.push(read('memory.reclaim'))
      const moved = Number(read('memory.reclaim'))
      // The double of the kernel: what was asked for has moved, and the file takes the next step.
      put({ 'memory.current': Number(read('memory.current')) - moved, 'memory.reclaim': '' })
      return true
    })
    assert.equal(read('memory.swap.max'), 'max')
    assert.deepEqual(steps.map(Number), [64 * MB, 64 * MB, 64 * MB, 40 * MB])
    assert.isAtMost(Number(read('memory.current')), 32 * MB)
    await memory.restore()
    assert.equal(read('memory.swap.max'), '0')
  })

  test('version 2 ends with the first look that says so', async ({ assert }) => {
    put({ 'memory.current': 900 * MB, 'memory.reclaim': '', 'memory.swap.max': 0 })
    let looks = 0
    await cgroupMemory(folder)!.pageOut(async () => ++looks < 3)
    assert.equal(looks, 3)
  })

  test('version 2 allows no swap to a group that has resumed before', async ({ assert }) => {
    put({ 'memory.current': 900 * MB, 'memory.reclaim': '', 'memory.swap.max': 0 })
    await cgroupMemory(folder)!.pageOut(async () => false)
    assert.equal(read('memory.swap.max'), '0')
    assert.equal(read('memory.reclaim'), '')
  })

  for (const moved of [0, 880 * MB]) {
    test(`version 2 forbids swap to a group that resumed after a look, ${moved} bytes later`, async ({
      assert,
    }) => {
      put({ 'memory.current': 900 * MB, 'memory.reclaim': '', 'memory.swap.max': 0 })
      const memory = cgroupMemory(folder)!
      let looks = 0
      await memory.pageOut(async () => {
        if (++looks > 1) return false
        await memory.restore()
        put({ 'memory.current': 900 * MB - moved })
        return true
      })
      assert.equal(read('memory.swap.max'), '0')
    })
  }

  test('version 1 lowers the limit step by step and restores it, whatever happens', async ({
    assert,
  }) => {
    put({
      'memory.usage_in_bytes': 100 * MB,
      'memory.memsw.usage_in_bytes': 110 * MB,
      'memory.limit_in_bytes': 2048 * MB,
      'memory.memsw.limit_in_bytes': 2048 * MB,
    })
    const memory = cgroupMemory(folder)!
    assert.deepEqual(await memory.use(), { resident: 100 * MB, swapped: 10 * MB })
    const limits: number[] = []
    const look = async () => {
      limits.push(Number(read('memory.limit_in_bytes')) / MB)
      if (limits.length === 2) throw new Error('The machine is gone')
      return true
    }
    await memory.pageOut(look).catch(() => {})
    assert.deepEqual(limits, [2048, 36])
    assert.equal(read('memory.limit_in_bytes'), String(2048 * MB))

    // What a Mosaic that was killed in the middle left behind.
    put({ 'memory.limit_in_bytes': 36 * MB })
    await memory.restore()
    assert.equal(read('memory.limit_in_bytes'), String(2048 * MB))
  })

  test('version 1 leaves a group alone whose limit it could not restore', async ({ assert }) => {
    put({ 'memory.usage_in_bytes': 100 * MB, 'memory.limit_in_bytes': 2048 * MB })
    const memory = cgroupMemory(folder)!
    assert.isFalse(memory.canPageOut)
    await memory.pageOut(async () => true)
    await memory.restore()
    assert.equal(read('memory.limit_in_bytes'), String(2048 * MB))
  })
})

test.group('The memory of the machine', (group) => {
  let folder: string

  group.each.setup(() => {
    folder = mkdtempSync(join(tmpdir(), 'mosaic-machine-'))
    return () => rmSync(folder, { recursive: true })
  })

  const file = (text: string) => {
    const path = join(folder, 'file')
    writeFileSync(path, text)
    return path
  }

  test('is read in bytes, and unknown where the kernel does not tell', async ({ assert }) => {
    const path = file(
      'MemTotal:       1000 kB\nMemFree: 1 kB\nMemAvailable:    600 kB\nSwapTotal:  500 kB\nSwapFree:  400 kB\n'
    )
    assert.deepEqual(await readMachineMemory(path), {
      total: 1_024_000,
      available: 614_400,
      swapTotal: 512_000,
      swapFree: 409_600,
    })
    assert.isNull(await readMachineMemory(join(folder, 'missing')))
  })

  test('has room for more in swap up to four fifths of it', ({ assert }) => {
    const machine = { total: 100, available: 50, swapTotal: 100, swapFree: 21 }
    assert.isTrue(hasSwapRoom(machine))
    assert.isFalse(hasSwapRoom({ ...machine, swapFree: 20 }))
    assert.isFalse(hasSwapRoom({ ...machine, swapTotal: 0, swapFree: 0 }))
  })

  test('keeps swap in the clear on a plain file or partition, not in zram or on a mapped device', async ({
    assert,
  }) => {
    const path = file(
      'Filename\tType\tSize\tUsed\tPriority\n/dev/zram0 partition 1 0 100\n/dev/dm-1 partition 1 0 -2\n/swapfile file 1 0 -3\n/dev/sda2 partition 1 0 -4\n'
    )
    assert.deepEqual(await plainSwapAreas(path), ['/swapfile', '/dev/sda2'])
    assert.deepEqual(await plainSwapAreas(join(folder, 'missing')), [])
  })
})

test.group('The memory of a container', (group) => {
  let root: string
  const id = 'c0ffee'

  group.each.setup(() => {
    root = mkdtempSync(join(tmpdir(), 'mosaic-container-'))
    mkdirSync(join(root, 'proc/77'), { recursive: true })
    return () => rmSync(root, { recursive: true })
  })

  const found = { Id: id, State: { Pid: 77 } } as never
  const engine = (isLocal = true, total = 1024_000) =>
    ({ isLocal, call: async () => ({ MemTotal: total }) }) as never
  const groupAt = (path: string, files: Record<string, number | string>) => {
    mkdirSync(join(root, path), { recursive: true })
    for (const [name, value] of Object.entries(files)) {
      writeFileSync(join(root, path, name), String(value))
    }
  }

  test('is found by its first process, in either version', async ({ assert }) => {
    const memory = new ContainerMemory(engine(), root)
    writeFileSync(join(root, 'proc/77/cgroup'), `0::/system.slice/docker-${id}.scope\n`)
    groupAt(`sys/fs/cgroup/system.slice/docker-${id}.scope`, { 'memory.current': 5 })
    assert.deepEqual(await memory.use(found), { resident: 5, swapped: 0 })

    writeFileSync(
      join(root, 'proc/77/cgroup'),
      `4:cpu,cpuacct:/docker/${id}\n3:memory:/docker/${id}\n`
    )
    groupAt(`sys/fs/cgroup/memory/docker/${id}`, { 'memory.usage_in_bytes': 7 })
    assert.deepEqual(await memory.use(found), { resident: 7, swapped: 0 })
  })

  test('is not that of a process of this machine that has the same number', async ({ assert }) => {
    writeFileSync(join(root, 'proc/77/cgroup'), '0::/user.slice\n')
    groupAt('sys/fs/cgroup/user.slice', { 'memory.current': 5 })
    assert.isNull(await new ContainerMemory(engine(), root).use(found))
    writeFileSync(join(root, 'proc/77/cgroup'), `0::/docker/${id}\n`)
    groupAt(`sys/fs/cgroup/docker/${id}`, { 'memory.current': 5 })
    assert.isNull(await new ContainerMemory(engine(false), root).use(found))
  })

  test('says nothing of a machine that is not this one', async ({ assert }) => {
    writeFileSync(join(root, 'proc/meminfo'), 'MemTotal: 1000 kB\nMemAvailable: 500 kB\n')
    assert.equal((await new ContainerMemory(engine(), root).machine())?.available, 512_000)
    assert.isNull(await new ContainerMemory(engine(true, 5), root).machine())
    assert.isNull(await new ContainerMemory(engine(false), root).machine())
  })
})
