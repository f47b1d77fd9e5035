import { Exception } from '@adonisjs/core/exceptions'
import { constants } from 'node:fs'
import { open } from 'node:fs/promises'

/** 32 bytes. The first key seals; any key opens. */
export type Keys = [Uint8Array, ...Uint8Array[]]

/** The key file is missing, readable by others, or holds no keys. */
export class E_KEY_FILE extends Exception {
  static override code = 'E_KEY_FILE'
  static override status = 500
  static override help =
    'Make one with: (umask 077; openssl rand -base64 32 >FILE). The first line seals, every line opens.'
}

/** Larger than any real key file. */
const MAX_BYTES = 64 * 1024
/** Mode bits that let other users read or write. */
const OF_OTHERS = 0o077

/**
 * Reads the keys: one per line, each 32 bytes in base64.
 *
 * @throws E_KEY_FILE
 */
export async function readKeys(path: string): Promise<Keys> {
  const keys = (await textOf(path))
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => Buffer.from(line, 'base64'))
  if (keys.some(({ length }) => length !== 32)) {
    throw new E_KEY_FILE(`A line of ${path} is not a key: 32 bytes in base64.`)
  }
  const [first, ...others] = keys
  if (!first) throw new E_KEY_FILE(`The file ${path} holds no key.`)
  return [first, ...others]
}

async function textOf(path: string): Promise<string> {
  try {
    await using file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW)
    const { mode, size } = await file.stat()
    if (mode & OF_OTHERS) throw new E_KEY_FILE(`Others than its owner can read or write ${path}.`)
    if (size > MAX_BYTES) throw new E_KEY_FILE(`The file ${path} is too large for a list of keys.`)
    return await file.readFile('utf8')
  } catch (cause) {
    if (cause instanceof E_KEY_FILE) throw cause
    throw new E_KEY_FILE(`The key file ${path} cannot be read.`, { cause })
  }
}
