import { test } from '@japa/runner'
import { exampleFolder } from '#tests/plugins/outside'

test.group('Example plugins', () => {
  test('{$self} type-checks, passes its own tests and builds, outside the repository')
    .with(['openrouter', 'key-file', 'bubblewrap'])
    .run(async ({ assert }, name) => {
      const folder = await exampleFolder(name)

      assert.deepEqual(await folder.typecheck(), { code: 0, output: '' })
      const { code, output } = await folder.test()
      assert.equal(code, 0, output)
      assert.match(output, /Tests {2}\d+ passed/)
      assert.deepEqual(await folder.build(), { code: 0, output: '' })
    })
})
