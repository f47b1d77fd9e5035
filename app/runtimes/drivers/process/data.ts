/** The data of an agent as an archive, read and written by `tar` as the agent's own user. */
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { RuntimeError } from '#runtimes/errors'
import type { AgentFolder } from '#runtimes/drivers/process/agent_folder'

/** Whoever reads it gives it to the agent's user there; this is the one of containers. */
const OWNER = ['--numeric-owner', '--owner=1000', '--group=1000']

/** Enough of what tar says to know why. */
const WORDS = 2000

/** The state folder, which exists. It is read once somebody reads this, and fails to their ears. */
export function pack(folder: AgentFolder, signal: AbortSignal): Readable {
  return Readable.from(read(folder, signal), { objectMode: false })
}

async function* read(folder: AgentFolder, signal: AbortSignal): AsyncGenerator<Buffer> {
  signal.throwIfAborted()
  const tar = start(['--create', ...OWNER, '--directory', folder.state, '.'], folder)
  const done = ended(tar)
  done.catch(() => {})
  const cut = () => tar.kill('SIGKILL')
  signal.addEventListener('abort', cut, { once: true })
  try {
    yield* tar.stdout!
    await done
  } finally {
    signal.removeEventListener('abort', cut)
    cut()
  }
}

/** Writes an archive into a folder of the agent, which is there and empty. */
export async function unpack(
  folder: AgentFolder,
  path: string,
  data: Readable,
  signal: AbortSignal
): Promise<void> {
  // It reads to the end of the stream, not of the archive, and so never leaves before its sender has.
  const whole = ['--extract', '--ignore-zeros', '--file', '-']
  const rights = ['--no-same-owner', '--preserve-permissions']
  const tar = start([...whole, ...rights, '--directory', path], folder)
  const done = ended(tar)
  done.catch(() => {})
  try {
    await pipeline(data, tar.stdin!, { signal })
  } catch (error) {
    signal.throwIfAborted()
    // Once all is read, tar tells how it went: as it exits Node closes its pipe, written out or not yet.
    if (data.readableEnded) return await done
    // A tar that gave up has closed its end, and knows why.
    if ((error as NodeJS.ErrnoException).code === 'EPIPE') await done
    throw error
  } finally {
    if (signal.aborted || data.errored) tar.kill('SIGKILL')
  }
  await done
}

/** As the agent: what an archive says of users, links and paths can do no more than the agent could. */
function start(args: string[], { user, path }: AgentFolder): ChildProcess {
  return spawn('tar', args, {
    ...(user ?? {}),
    cwd: '/',
    env: { PATH: '/usr/local/bin:/usr/bin:/bin', LANG: 'C.UTF-8', HOME: path },
    stdio: ['pipe', 'pipe', 'pipe'],
  })
}

async function ended(tar: ChildProcess): Promise<void> {
  let said = ''
  tar.stderr!.on('data', (chunk) => (said = `${said}${chunk}`.slice(0, WORDS)))
  tar.stdin!.on('error', () => {})
  const [code] = await once(tar, 'close').catch((cause: NodeJS.ErrnoException) => {
    throw new RuntimeError('internal', `The program tar could not be started: ${cause.message}`, {
      cause,
      help: 'Install tar, then try again.',
    })
  })
  if (code === 0) return
  const isFull = /no space left|quota exceeded/i.test(said)
  throw new RuntimeError(
    isFull ? 'no_capacity' : 'internal',
    `The data of the agent could not be moved: ${said.trim().split('\n')[0] || `tar ended with ${code}`}`
  )
}
