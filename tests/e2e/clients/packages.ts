import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import app from '@adonisjs/core/services/app'

const folder = app.makePath('storage/clients')

/** Imports an installed client, which has no types here: it is none of Mosaic's dependencies. */
export async function clientPackage(name: string): Promise<any> {
  const { load } = await import(pathToFileURL(join(folder, 'load.mjs')).href)
  return load(name)
}

/** Returns the path of a file of an installed client. */
export function clientFile(path: string): string {
  return join(folder, 'node_modules', path)
}
