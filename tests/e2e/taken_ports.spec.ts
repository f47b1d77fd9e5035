import { test } from '@japa/runner'
import { MosaicProcess } from '#tests/e2e/mosaic_process'

test.group('Mosaic on a port that is taken', (group) => {
  let mosaic: MosaicProcess

  group.setup(() => {
    mosaic = new MosaicProcess()
    return () => mosaic.end()
  })

  test('ends at once and says which port, and how to take another', async ({ assert }) => {
    await mosaic.prepare()
    const migrated = await mosaic.ace('migration:run', '--force')
    assert.equal(migrated.code, 0, migrated.err)

    /** This test run itself listens on both ports. */
    const { PORT, INTERNAL_PORT } = process.env as Record<string, string>
    await mosaic.prepare({ INTERNAL_PORT })
    const internal = await mosaic.startInVain()
    assert.equal(internal.code, 1)
    assert.include(internal.err, `E_PORT_TAKEN: Port ${INTERNAL_PORT} is taken`)
    assert.include(internal.err, `INTERNAL_PORT=${Number(INTERNAL_PORT) + 10}`)

    await mosaic.prepare({ PORT })
    const open = await mosaic.startInVain()
    assert.equal(open.code, 1)
    assert.include(open.err, `E_PORT_TAKEN: Port ${PORT} is taken`)
  }).timeout(180_000)
})
