/**
 * Boots the application for ace commands.
 */
import { refuseIfTooOld } from './node_version.js'

refuseIfTooOld()

await import('reflect-metadata')
const { Ignitor } = await import('@adonisjs/core')
const { reportBootFailure, tellCommandFailures } = await import('#exceptions/boot')

const args = process.argv.splice(2)

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
      const { secrets } = await import('#start/env')
      /** A shell without the server's variables works on another Mosaic: it must show. */
      for (const sentence of secrets.made) console.error(sentence)
    })
    const end = async () => {
      await app.terminate()
      /** It waits for the server it started, which ends with it. */
      if (args[0] === 'serve') process.exit()
    }
    app.listen('SIGTERM', end)
    app.listen('SIGINT', end)
  })
  .ace()
  .configure(tellCommandFailures)
  .handle(args)
  .catch(reportBootFailure)
