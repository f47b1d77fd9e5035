/**
 * Boots the application for the web process.
 */
import { refuseIfTooOld } from './node_version.js'

refuseIfTooOld()

await import('reflect-metadata')
const { Ignitor } = await import('@adonisjs/core')
const { reportBootFailure } = await import('#exceptions/boot')
const { createHttpServer } = await import('#start/http_server')
const { collectBootGarbage } = await import('#start/boot_garbage')

/**
 * Exit status of a server that is told to stop while booting. Nothing needs draining then, and each write of a
 * boot is atomic. The framework would finish the boot and keep running.
 */
const ENDED_IN_BOOT = 143

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
    app.ready(() => void collectBootGarbage())
    const end = () => (app.isReady ? app.terminate() : process.exit(ENDED_IN_BOOT))
    app.listen('SIGTERM', end)
    app.listen('SIGINT', end)
  })
  .httpServer()
  .start((handler) => createHttpServer(handler))
  .catch(async (error: unknown) => {
    await reportBootFailure(error)
    /** Whatever opened before the failure would keep the process alive. */
    await ignitor.getApp()?.terminate()
  })
