import 'reflect-metadata'
import { Ignitor } from '@adonisjs/core'
import type { ApplicationService } from '@adonisjs/core/types'
import { collectBootGarbage } from '#start/boot_garbage'
import { createHttpServer } from '#start/http_server'

/**
 * Starts Mosaic's web process within this one, as `bin/server.ts` does. `booted` runs before its background work
 * begins.
 */
export async function webProcess(
  booted: (app: ApplicationService) => Promise<void> = async () => {}
): Promise<ApplicationService> {
  const root = new URL('../', import.meta.url)
  const ignitor = new Ignitor(root, {
    importer: (path) => import(path.startsWith('.') ? new URL(path, root).href : path),
  })
  await ignitor
    .tap((app) => {
      app.booting(async () => {
        await import('#start/env')
      })
      app.booted(booted)
      app.ready(collectBootGarbage)
      app.listen('SIGTERM', () => app.terminate())
    })
    .httpServer()
    .start((handler) => createHttpServer(handler))
  return ignitor.getApp()!
}
