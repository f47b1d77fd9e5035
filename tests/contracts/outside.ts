import { execFile, spawn, type ChildProcess } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { promisify } from 'node:util'

const run = promisify(execFile)

const PORT = 4321

/** From a documentation range, which no other test or machine uses. */
const PUBLIC = '203.0.113.2'
const PRIVATE = '10.255.254.2'

const SERVER = `require('node:net')
  .createServer((socket) => socket.destroy())
  .listen(${PORT}, '0.0.0.0', () => console.log('ready'))`

/** Another machine, reachable from this one on a public and a private network. */
export class Outside {
  readonly publicAddress = PUBLIC
  readonly privateAddress = PRIVATE
  readonly port = PORT

  readonly #server: ChildProcess

  private constructor(server: ChildProcess) {
    this.#server = server
  }

  /** Requires root. */
  static async open(): Promise<Outside> {
    const id = randomUUID().slice(0, 6)
    const [near, far] = [`mosn${id}`, `mosf${id}`]
    const server = spawn('unshare', ['--net', process.execPath, '-e', onceTold(SERVER)], {
      stdio: ['pipe', 'pipe', 'inherit'],
    })
    const ip = (...words: string[]) => run('ip', words)
    const there = (...words: string[]) =>
      run('nsenter', [`--net=/proc/${server.pid}/ns/net`, 'ip', ...words])
    await once(server, 'spawn')
    await once(server.stdout!, 'data')
    await ip('link', 'add', near, 'type', 'veth', 'peer', 'name', far)
    await ip('link', 'set', far, 'netns', String(server.pid))
    await ip('address', 'add', '203.0.113.1/24', 'dev', near)
    await ip('address', 'add', '10.255.254.1/24', 'dev', near)
    await ip('link', 'set', near, 'up')
    await there('address', 'add', `${PUBLIC}/24`, 'dev', far)
    await there('address', 'add', `${PRIVATE}/24`, 'dev', far)
    await there('link', 'set', far, 'up')
    server.stdin!.write('go\n')
    await once(server.stdout!, 'data')
    return new Outside(server)
  }

  /** Also removes its end of the link. */
  async close(): Promise<void> {
    const ended = once(this.#server, 'exit')
    this.#server.kill('SIGKILL')
    await ended
  }
}

/** Prints that it is running, and serves once its addresses are set. */
function onceTold(program: string): string {
  return `console.log('here'); process.stdin.once('data', () => { ${program} })`
}
