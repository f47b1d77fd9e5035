import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { readText } from '@mosaic/plugin-kit'
import { RuntimeError } from '@mosaic/plugin-kit/runtime'
import { bareSandbox, endSandbox, SANDBOX_MS, sandboxProcess } from './sandbox.ts'

/** Owner that other runtimes expect. */
const OWNER = ['--numeric-owner', '--owner=1000', '--group=1000']
/** Characters of tar's error output to keep. */
const WORDS = 2000

/** Streams the contents of a folder as a tar archive. A failure destroys the stream with an error. */
export function pack(folder: string, signal: AbortSignal): Readable {
  return Readable.from(read(folder, signal), { objectMode: false })
}

async function* read(folder: string, signal: AbortSignal): AsyncGenerator<Buffer> {
  signal.throwIfAborted()
  const { tar, end } = start(['--ro-bind', folder, '/data'], ['--create', ...OWNER, '.'])
  const done = ended(tar)
  const cut = () => void end()
  signal.addEventListener('abort', cut, { once: true })
  try {
    yield* tar.stdout!
    await done
  } finally {
    signal.removeEventListener('abort', cut)
    cut()
  }
}

/** Unpacks an archive into an empty folder. Its links are harmless: the sandbox can write nowhere else. */
export async function unpack(folder: string, data: Readable, signal: AbortSignal): Promise<void> {
  // With --ignore-zeros tar reads to the end of the stream, so it never exits before the sender.
  const whole = ['--extract', '--ignore-zeros', '--no-same-owner', '--preserve-permissions']
  const { tar, end } = start(['--bind', folder, '/data'], [...whole, '--file', '-'])
  const done = ended(tar)
  try {
    await pipeline(data, tar.stdin!, { signal })
  } catch (error) {
    signal.throwIfAborted()
    if (data.errored) throw error
  } finally {
    if (signal.aborted || data.errored) await end()
  }
  await done
}

/** Runs tar in a sandbox. `end` kills it. */
function start(folder: string[], args: string[]): { tar: ChildProcess; end(): Promise<void> } {
  const place = ['--die-with-parent', '--unshare-net', ...folder, '--chdir', '/data']
  const told = ['--info-fd', '3']
  const tar = spawn('bwrap', [...bareSandbox(), ...place, ...told, 'tar', ...args], {
    cwd: '/',
    env: { PATH: '/usr/bin:/bin', LANG: 'C.UTF-8' },
    stdio: ['pipe', 'pipe', 'pipe', 'pipe'],
  })
  const limits = { what: 'What bubblewrap tells', maxBytes: 4096, maxMs: SANDBOX_MS }
  const first = readText(tar.stdio[3] as Readable, limits).then(
    (text) => sandboxProcess(JSON.parse(text)['child-pid']),
    () => null
  )
  // Kills the sandbox's first process: without bubblewrap, one that is still being made would wait for ever.
  const end = async () => {
    const process_ = await first.catch(() => null)
    if (process_) await endSandbox(process_, 0)
    else tar.kill('SIGKILL')
  }
  return { tar, end }
}

/** @throws RuntimeError `no_capacity` when the disk is full, else `internal` */
function ended(tar: ChildProcess): Promise<void> {
  let said = ''
  tar.stderr!.on('data', (chunk) => (said = `${said}${chunk}`.slice(0, WORDS)))
  tar.stdin!.on('error', () => {})
  const done = once(tar, 'close').then(([code]) => {
    if (code === 0) return
    const reason = /no space left|quota exceeded/i.test(said) ? 'no_capacity' : 'internal'
    const why = said.trim().split('\n')[0] || `tar ended with ${code}`
    throw new RuntimeError(reason, `The data of the agent could not be moved: ${why}`)
  })
  // Avoids an unhandled rejection if the caller no longer awaits it.
  done.catch(() => {})
  return done
}
