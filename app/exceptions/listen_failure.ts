import type { Exception } from '@adonisjs/core/exceptions'
import { CodedError } from '#drivers/contract_error'
import { holderSentence, portHolder } from '#exceptions/port_holder'

/** The variables that configure a listener. */
export interface ListenVariables {
  host: 'HOST' | 'INTERNAL_HOST'
  port: 'PORT' | 'INTERNAL_PORT'
}

/** Another process listens on the configured port. */
export class E_PORT_TAKEN extends CodedError {
  constructor(port: string | number, { port: variable }: ListenVariables) {
    const holder = portHolder(Number(port))
    super(`Port ${port} is taken by ${holderSentence(holder)}.`)
    this.help = `Stop that process, or start Mosaic with another port: ${variable}=${Number(port) + 10}`
  }
}

/** The machine lacks the address or port, or does not permit its use. */
export class E_CANNOT_LISTEN extends CodedError {
  constructor(place: string, help: string, options: ErrorOptions) {
    super(`Mosaic cannot listen on ${place}.`, options)
    this.help = help
  }
}

type NodeFailure = NodeJS.ErrnoException & { address?: string; port?: number; hostname?: string }

/** Returns the error for a listener that cannot open, in place of Node's; null for any other error. */
export function listenFailure(error: unknown, variables: ListenVariables): Exception | null {
  if (!(error instanceof Error)) return null
  const { code, syscall, address, port, hostname } = error as NodeFailure
  const { host: hostVariable, port: portVariable } = variables
  if (code === 'ERR_SOCKET_BAD_PORT') {
    const help = `Start Mosaic with a port from 1 to 65535, as ${portVariable}=3333.`
    return new E_CANNOT_LISTEN('a port of that number', help, { cause: error })
  }
  if (syscall === 'getaddrinfo' && hostname === process.env[hostVariable]) {
    const help = `Set ${hostVariable} to an address of this machine, 127.0.0.1 for example.`
    return new E_CANNOT_LISTEN(`"${hostname}"`, help, { cause: error })
  }
  if (syscall !== 'listen') return null
  if (code === 'EADDRINUSE') return new E_PORT_TAKEN(port ?? '', variables)
  const help =
    code === 'EACCES'
      ? `The system keeps that port for others: start Mosaic with ${portVariable}=3333, behind a proxy.`
      : `Set ${hostVariable} to an address of this machine: 127.0.0.1, or 0.0.0.0 for all.`
  return new E_CANNOT_LISTEN(`${address}, port ${port}`, help, { cause: error })
}
