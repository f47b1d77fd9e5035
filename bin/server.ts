/**
 * Boots the application for the web process.
 */
await import('reflect-metadata')
const { Ignitor } = await import('@adonisjs/core')
const { reportBootFailure } = await import('#exceptions/boot')
const { createHttpServer } = await import('#start/http_server')

const APP_ROOT = new URL('../', import.meta.url)

const IMPORTER = (filePath: string) => {
  if (filePath.startsWith('./') || filePath.startsWith('../')) {
    return import(new URL(filePath, APP_ROOT).href)
  }
  return import(filePath)
}

const ignitor = new Ignitor(APP_ROOT, { importer: IMPORTER })

ignitor
  .tap((app) => {
    app.booting(async () => {
      await import('#start/env')
    })
    app.listen('SIGTERM', () => app.terminate())
    app.listen('SIGINT', () => app.terminate())
  })
  .httpServer()
  .start((handler) => createHttpServer(handler))
  .catch(async (error: unknown) => {
    await reportBootFailure(error)
    /** What had opened before the failure would keep the process alive. */
    await ignitor.getApp()?.terminate()
  })
