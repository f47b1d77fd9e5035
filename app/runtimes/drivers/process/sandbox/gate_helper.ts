/**
 * Runs in the gate's network as a child of Mosaic. It opens sockets there and passes them to Mosaic, so
 * no data flows through this process. It ends with its parent.
 */
import { connect, createServer, type Socket } from 'node:net'

export interface GateRequest {
  id: number
  verb: 'enter' | 'listen' | 'dial' | 'cancel'
  host: string
  port: number
}

/** Sent with the requested socket, or with the error's code. */
export interface GateAnswer {
  id: number
  error?: string
}

const dialing = new Map<number, Socket>()

function answer(id: number, error: NodeJS.ErrnoException): void {
  process.send!({ id, error: error.code ?? error.message } satisfies GateAnswer)
}

function listen({ id, host, port }: GateRequest): void {
  const server = createServer({ allowHalfOpen: true })
  server.once('error', (error) => answer(id, error))
  // Several replicas of Mosaic on one machine listen on the same address: any of them serves any agent.
  server.listen({ host, port, reusePort: true }, () => {
    process.send!({ id } satisfies GateAnswer, server, {}, () => server.close())
  })
}

function dial({ id, host, port }: GateRequest): void {
  const socket = connect({ host, port, noDelay: true })
  // Leave all data and the end of the connection for Mosaic to read.
  socket.pause()
  dialing.set(id, socket)
  socket.once('error', (error) => {
    if (dialing.delete(id)) answer(id, error)
  })
  socket.once('connect', () => {
    if (dialing.delete(id)) process.send!({ id } satisfies GateAnswer, socket)
  })
}

function cancel({ id }: GateRequest): void {
  dialing.get(id)?.destroy()
  dialing.delete(id)
}

function enter({ id }: GateRequest): void {
  process.send!({ id } satisfies GateAnswer)
}

const VERBS = { enter, listen, dial, cancel }

process.on('message', (request: GateRequest) => VERBS[request.verb](request))
process.on('disconnect', () => process.exit())
