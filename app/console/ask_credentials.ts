import type { OperatorCommand } from '#console/operator_command'
import { readSecret } from '#console/secret_input'
import type { Credentials } from '#identity/sign_in'

/** A name given as a flag comes with its password on standard input; else both are asked for. */
export async function askCredentials(
  command: OperatorCommand,
  username: string | undefined
): Promise<Credentials> {
  if (username && !command.input.isTTY) {
    return { username, password: await readSecret(command.input) }
  }
  return {
    username: username ?? (await command.prompt.ask('Username', { default: 'admin' })),
    password: await command.prompt.secure('Password (at least 12 characters)'),
  }
}
