import { test } from '@japa/runner'
import { ArchiveKeeper } from '#knowledge/archive/archive_keeper'
import type { ArchiveIngestion } from '#knowledge/archive/archive_ingestion'
import { TestClock } from '#tests/doubles/test_clock'

test.group('The archive keeper', () => {
  test('does not wait for an agent that never answers, when Mosaic stops', async ({ assert }) => {
    let told: AbortSignal | undefined
    const ingestion = {
      ingest: (_user: string, _source: unknown, signal?: AbortSignal) => {
        told = signal
        return new Promise<number>(() => {})
      },
    } as unknown as ArchiveIngestion
    const source = { list: async () => [], read: async () => null }
    const clock = new TestClock()
    const keeper = new ArchiveKeeper(ingestion, () => source, { warn: () => {} }, clock)
    void keeper.ingest('user/u')
    const closed = keeper.close()
    assert.isTrue(told!.aborted)
    await new Promise(setImmediate)
    clock.advance(10_000)
    await closed
  })
})
