import type { Assert } from '@japa/assert'
import type { test } from '@japa/runner'

/**
 * Japa's `test`, as passed to a suite. A suite never imports Japa itself: only the copy that runs the spec
 * may register tests.
 */
export type SuiteTest = typeof test

/** Expects a rejection with this code, even if its class is from another copy of a package. */
export async function rejectsWithCode(
  assert: Assert,
  run: () => Promise<unknown>,
  code: string
): Promise<void> {
  const failure = await run().then(
    () => null,
    (error: unknown) => error
  )
  assert.isNotNull(failure, `It was expected to fail with ${code}`)
  assert.equal((failure as { code?: unknown }).code, code)
}
