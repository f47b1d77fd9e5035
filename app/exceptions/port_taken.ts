import { Exception } from '@adonisjs/core/exceptions'

/** Another process listens where Mosaic is told to. */
export class E_PORT_TAKEN extends Exception {
  static override code = 'E_PORT_TAKEN'

  constructor(port: string | number, variable: 'PORT' | 'INTERNAL_PORT') {
    super(`Port ${port} is taken by another process.`)
    this.help = `Stop that process, or start Mosaic with another port: ${variable}=${Number(port) + 10}`
  }
}

/** Node's error for a port that is taken, of any listener. */
export function isPortTaken(error: unknown): error is NodeJS.ErrnoException & { port: number } {
  return error instanceof Error && 'code' in error && error.code === 'EADDRINUSE'
}
