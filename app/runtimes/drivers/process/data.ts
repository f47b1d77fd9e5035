/** An agent's data as an archive, read and written by `tar` as the agent's own user. */
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { RuntimeError } from '#runtimes/errors'
import type { AgentFolder } from '#runtimes/drivers/process/agent_folder'

/**
 * The owner in the archive: the agents' user in containers. The importing runtime changes it to the
 * agent's user.
 */
const OWNER = ['--numeric-owner', '--owner=1000', '--group=1000']

/** Holds a complaint of tar about the longest path, each byte of it as an octal number. */
const COMPLAINT_BYTES = 32 * 1024

/**
 * Ends of tar's complaints. What precedes them names a file of the agent, which may be anything, so nothing
 * else of a complaint is repeated. Read in the locale that `start` sets.
 */
const CAUSES = [
  ...['No space left on device', 'Disk quota exceeded', 'Read-only file system'],
  ...['Permission denied', 'Operation not permitted', 'Operation not supported'],
  ...['No such file or directory', 'File exists', 'Is a directory', 'Not a directory'],
  ...['File name too long', 'Too many levels of symbolic links', 'Too many open files'],
  ...['Input/output error', 'Cannot allocate memory', 'File too large', 'Too many links'],
  ...['file changed as we read it', 'Unexpected EOF in archive'],
  'This does not look like a tar archive',
]

/** The causes that are a full disk. */
const FULL = new Set(CAUSES.slice(0, 2))

/**
 * Returns the existing state folder as an archive. It is read only once the stream is, and failures
 * reach the stream's reader.
 */
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

/** Unpacks an archive into an existing, empty folder of the agent. */
export async function unpack(
  folder: AgentFolder,
  path: string,
  data: Readable,
  signal: AbortSignal
): Promise<void> {
  // With this, tar reads to the end of the stream, not just of the archive, and so never exits before
  // the sender is done.
  const whole = ['--extract', '--ignore-zeros', '--file', '-']
  const rights = ['--no-same-owner', '--preserve-permissions']
  const tar = start([...whole, ...rights, '--directory', path], folder)
  const done = ended(tar)
  done.catch(() => {})
  try {
    await pipeline(data, tar.stdin!, { signal })
  } catch (error) {
    signal.throwIfAborted()
    // Once all is read, tar's own result counts: Node closes the pipe when tar exits, flushed or not.
    if (data.readableEnded) return await done
    // A tar that gave up has closed its end, and knows the cause.
    if ((error as NodeJS.ErrnoException).code === 'EPIPE') await done
    throw error
  } finally {
    if (signal.aborted || data.errored) tar.kill('SIGKILL')
  }
  await done
}

/** Runs as the agent, so that users, links and paths in an archive can do no more than the agent could. */
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
  tar.stderr!.on('data', (chunk) => (said = `${said}${chunk}`.slice(0, COMPLAINT_BYTES)))
  tar.stdin!.on('error', () => {})
  const [code] = await once(tar, 'close').catch((cause: NodeJS.ErrnoException) => {
    throw new RuntimeError('internal', `The program tar could not be started: ${cause.message}`, {
      cause,
      help: 'Install tar, then try again.',
    })
  })
  if (code === 0) return
  const causes = causesIn(said)
  const message = `The data of the agent could not be moved: ${causes[0] ?? `tar ended with ${code}`}.`
  if (causes.some((cause) => FULL.has(cause))) {
    throw new RuntimeError('no_capacity', message, {
      help: 'Free some space on the disk of the agents, then try again.',
    })
  }
  throw new RuntimeError('internal', message, {
    help: "Look for the cause in the agent's folder, as root, then try again.",
  })
}

/** tar writes a line for each complaint, and escapes line feeds in names. */
function causesIn(said: string): string[] {
  return said.split('\n').flatMap((line) => CAUSES.find((cause) => line.endsWith(cause)) ?? [])
}
