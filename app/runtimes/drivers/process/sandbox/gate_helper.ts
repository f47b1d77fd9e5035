/**
 * Runs in the gate's network, as a child of Mosaic. It opens sockets there and hands them over: from then on
 * they are Mosaic's own, and no byte passes through here. It ends with its parent.
 */
import { connect, createServer, type Socket } from 'node:net'

export interface GateRequest {
  id: number
  verb: 'enter' | 'listen' | 'dial' | 'cancel'
  host: string
  port: number
}

/** Sent with the socket, where one was asked for, or with the code of the error. */
export interface GateAnswer {
  id: number
  error?: string
}

const dialing = new Map<number, Socket>()

function answer(id: number, error: NodeJS.ErrnoException): void {
  process.send!({ id, error: error.code ?? error.message } satisfies GateAnswer)
}

function listen({ id, host, port }: GateRequest): void {
  const server = createServer()
  server.once('error', (error) => answer(id, error))
  // Several replicas of Mosaic on one machine listen at the same address: any of them serves any agent.
  server.listen({ host, port, reusePort: true }, () => {
    process.send!({ id } satisfies GateAnswer, server, {}, () => server.close())
  })
}

function dial({ id, host, port }: GateRequest): void {
  const socket = connect({ host, port, noDelay: true })
  // Nothing is read here: what the other end says or does first is for Mosaic to see.
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
