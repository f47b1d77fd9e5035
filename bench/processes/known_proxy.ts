/**
 * A proxy that others keep, from npm, with kept-alive connections to the gateway: `http-proxy-3` as a library, or
 * `configurable-http-proxy`, which finds its target by the request's path.
 */
import { Agent, createServer, type Server } from 'node:http'
import { createRequire } from 'node:module'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'

const [target, name, folder] = process.argv.slice(2)
const installed = createRequire(join(folder, 'package.json'))
const load = (path: string) => import(pathToFileURL(installed.resolve(path)).href)

const servers: Record<string, () => Promise<Server>> = {
  async 'http-proxy-3'() {
    const { createProxyServer } = await load('http-proxy-3')
    const proxy = createProxyServer({ target, agent: new Agent({ keepAlive: true }) })
    proxy.on('error', (_error: Error, _request: unknown, outgoing: any) => outgoing.destroy())
    return createServer((incoming, outgoing) => void proxy.web(incoming, outgoing))
  },
  async 'configurable-http-proxy'() {
    const { ConfigurableProxy } = await load('configurable-http-proxy/lib/configproxy.js')
    const silent = { error() {}, warn() {}, info() {}, debug() {} }
    return new ConfigurableProxy({ defaultTarget: target, log: silent }).proxyServer
  },
}

const server = await servers[name]()
server.listen(0, '127.0.0.1', () => {
  const { port } = server.address() as AddressInfo
  process.send!({ ready: { url: `http://127.0.0.1:${port}` } })
})
process.on('disconnect', () => process.exit())
