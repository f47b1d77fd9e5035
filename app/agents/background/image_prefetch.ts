import type { AgentsContext } from '#agents/context'

/**
 * A task that has the runtime do ahead what takes long, as fetching the image, and does not wait for it:
 * a wake that comes meanwhile joins, and the end of Mosaic ends it. A failure is told once.
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
