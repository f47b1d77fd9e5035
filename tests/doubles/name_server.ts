import { createSocket, type Socket } from 'node:dgram'
import { Resolver } from 'node:dns/promises'
import { once } from 'node:events'

const TYPE_A = 1
/** A response to a standard query, without an error. */
const ANSWER_FLAGS = 0x8180
/** Points to the name in the question, right after the header. */
const NAME_OF_QUESTION = 0xc00c
const HEADER_BYTES = 12

/** A DNS server on loopback that answers each IPv4 query with the next address of its list. */
export class NameServer {
  readonly #socket: Socket = createSocket('udp4')
  readonly #answers: string[] = []
  questions = 0

  static async start(): Promise<NameServer> {
    const server = new NameServer()
    server.#socket.on('message', (query, { port, address }) => {
      server.#socket.send(server.#answer(query), port, address)
    })
    server.#socket.bind(0, '127.0.0.1')
    await once(server.#socket, 'listening')
    return server
  }

  /** Sets the answers; the last address repeats. */
  say(...addresses: string[]): void {
    this.#answers.splice(0, Infinity, ...addresses)
  }

  /** Resolves names with this server only. */
  get resolve() {
    const resolver = new Resolver({ timeout: 2000, tries: 1 })
    resolver.setServers([`127.0.0.1:${this.#socket.address().port}`])
    return async (name: string) =>
      (await resolver.resolve4(name)).map((address) => ({ address, family: 4 }))
  }

  async close(): Promise<void> {
    this.#socket.close()
    await once(this.#socket, 'close')
  }

  #answer(query: Buffer): Buffer {
    this.questions++
    const address = this.#answers.length > 1 ? this.#answers.shift()! : this.#answers[0]
    const question = query.subarray(HEADER_BYTES, endOfQuestion(query))
    const header = Buffer.alloc(HEADER_BYTES)
    query.copy(header, 0, 0, 2)
    ;[ANSWER_FLAGS, 1, 1].forEach((value, index) => header.writeUInt16BE(value, 2 + index * 2))
    const record = Buffer.alloc(16)
    record.writeUInt16BE(NAME_OF_QUESTION, 0)
    record.writeUInt16BE(TYPE_A, 2)
    record.writeUInt16BE(1, 4)
    record.writeUInt16BE(4, 10)
    address.split('.').forEach((part, index) => record.writeUInt8(Number(part), 12 + index))
    return Buffer.concat([header, question, record])
  }
}

/** Returns the offset after the labels, their closing zero, the type and the class. */
function endOfQuestion(query: Buffer): number {
  let at = HEADER_BYTES
  while (query[at] !== 0) at += query[at] + 1
  return at + 5
}
