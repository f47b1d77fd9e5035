import { Readable } from 'node:stream'
import ace from '@adonisjs/core/services/ace'
import type { OperatorCommand } from '#console/operator_command'

export type Command = Parameters<typeof ace.create>[0]

/** Runs a command as an operator does, with `input` on standard input. Needs `ace.ui` in raw mode. */
export async function runCommand(Target: Command, args: string[], input = '') {
  const command = (await ace.create(Target, args)) as OperatorCommand
  command.logger.flushLogs()
  command.input = Readable.from([Buffer.from(input)])
  await command.exec()
  const lines = command.logger.getLogs()
  const of = (stream: string) =>
    lines
      .filter((line) => line.stream === stream)
      .map(({ message }) => message)
      .join('\n')
  return { exitCode: command.exitCode, out: of('stdout'), err: of('stderr') }
}
