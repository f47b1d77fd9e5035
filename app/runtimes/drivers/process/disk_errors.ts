import { RuntimeError } from '#runtimes/errors'

function isFull(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException
  return code === 'ENOSPC' || code === 'EDQUOT'
}

/** Ignores an error that only means that the disk is full. */
export function unlessFull(error: unknown): void {
  if (!isFull(error)) throw error
}

/** Explains the error of a full or read-only disk. */
export function explained(error: unknown): unknown {
  const { code, path } = error as NodeJS.ErrnoException
  if (isFull(error)) {
    return new RuntimeError('no_capacity', 'The disk of the agents is full.', {
      cause: error,
      help: 'Free some space there, then try again.',
    })
  }
  if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS') {
    return new RuntimeError('internal', `Mosaic may not write to ${path ?? 'the agents'}.`, {
      cause: error,
      help: 'Give the user that Mosaic runs as the rights to its storage folder.',
    })
  }
  return error
}
