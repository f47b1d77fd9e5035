/** The socket proxy as a program: `node main.js`, configured by its environment (`config.ts`). */
import { configFrom } from '#socket_proxy/config'
import { SocketProxy } from '#socket_proxy/socket_proxy'

const say = (line: object) =>
  process.stdout.write(`${JSON.stringify({ time: new Date().toISOString(), ...line })}\n`)

try {
  const proxy = new SocketProxy(configFrom(process.env), (line) => say({ refused: true, ...line }))
  say({ message: `The socket proxy listens at ${await proxy.start()}` })
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => proxy.stop())
} catch (error) {
  process.stderr.write(`socket proxy: ${(error as Error).message}\n`)
  process.exitCode = 1
}
