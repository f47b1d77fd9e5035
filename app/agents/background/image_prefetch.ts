import type { AgentsContext } from '#agents/context'

/**
 * Returns a task that has the runtime do slow work, such as pulling the image, before a wake needs it.
 * The task does not wait for the result: a wake joins the work in progress, and it ends with Mosaic. A
 * repeated failure is logged once.
 */
export function prefetchImages({
  runtimes,
  settings,
  logger,
}: Pick<AgentsContext, 'logger' | 'settings' | 'runtimes'>): () => Promise<object> {
  let told: string | null = null
  return async () => {
    const runtime = await settings.get('runtime.driver')
    const image = await settings.get('runtime.image')
    const driver = await runtimes.use(runtime)
    const { signal } = new AbortController()
    driver.prepare?.(image, { signal }).then(
      () => (told = null),
      (error: Error) => {
        if (error.message !== told)
          logger.warn({ err: error, runtime }, 'A runtime is not prepared')
        told = error.message
      }
    )
    return { runtime }
  }
}
