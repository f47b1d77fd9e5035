/**
 * Boots the application for ace commands.
 */
import { refuseIfTooOld } from './node_version.js'

refuseIfTooOld()

await import('reflect-metadata')
const { Ignitor } = await import('@adonisjs/core')
const { reportBootFailure, tellCommandFailures } = await import('#exceptions/boot')

const APP_ROOT = new URL('../', import.meta.url)

const IMPORTER = (filePath: string) => {
  if (filePath.startsWith('./') || filePath.startsWith('../')) {
    return import(new URL(filePath, APP_ROOT).href)
  }
  return import(filePath)
}

new Ignitor(APP_ROOT, { importer: IMPORTER })
  .tap((app) => {
    app.booting(async () => {
      await import('#start/env')
    })
    app.listen('SIGTERM', () => app.terminate())
    app.listen('SIGINT', () => app.terminate())
  })
  .ace()
  .configure(tellCommandFailures)
  .handle(process.argv.splice(2))
  .catch(reportBootFailure)
