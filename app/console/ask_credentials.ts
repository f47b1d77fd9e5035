import type { OperatorCommand } from '#console/operator_command'
import { readSecret } from '#console/secret_input'
import type { Credentials } from '#identity/sign_in'

/**
 * Returns a name and password. If the name is a flag, the password is read from standard input; otherwise
 * both are prompted for.
 */
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
