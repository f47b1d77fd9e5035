import { globSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from '@japa/runner'
import { OutsideFolder } from '#tests/plugins/outside'

const EXPECTED = /^\s*\/\/ @ts-expect-error.*$/gm

test.group('Plugin kit | types in a foreign package', (group) => {
  let folder: OutsideFolder

  group.setup(async () => {
    folder = await OutsideFolder.make()
    await folder.copy('tests/plugins/foreign')
    await folder.install()
    return () => folder.close()
  })

  test('accept what is right, and refuse exactly what is marked as wrong', async ({ assert }) => {
    const { code, output } = await folder.typecheck()
    assert.equal(output, '')
    assert.equal(code, 0)
  })

  test('name each mistake', async ({ assert }) => {
    let mistakes = 0
    for (const file of globSync('*.ts', { cwd: folder.path })) {
      const path = join(folder.path, file)
      const source = readFileSync(path, 'utf8')
      mistakes += source.match(EXPECTED)?.length ?? 0
      writeFileSync(path, source.replaceAll(EXPECTED, ''))
    }
    // Declarations of other packages are checked as well: those of the kit must hold by themselves.
    const { output } = await folder.typecheck(['--skipLibCheck', 'false'])
    const places = [...output.matchAll(/^(\S+)\(\d+,\d+\): error TS/gm)].map(([, file]) => file)
    assert.isAbove(mistakes, 10)
    assert.lengthOf(
      places.filter((file) => !file.includes('/')),
      mistakes
    )
    assert.deepEqual(
      places.filter((file) => file.includes('plugin-kit')),
      []
    )
    assert.include(
      output,
      `'"typo"' is not assignable to parameter of type '"process" | "docker" | "swarm" | "acme"`
    )
  })
})
