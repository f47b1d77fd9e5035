import { ScriptedModel } from '#tests/e2e/scripted_model'
import type { ModelBody, Turn } from '#tests/e2e/scripted_turn'

/** Prefix of the names by which agents see Mosaic's tools. */
const PREFIX = 'mosaic__'

/** The work of a task, and its output. */
const WORK = { command: 'echo forty-two ships', output: 'forty-two ships' }

/**
 * A model that uses what its agent offers. Told "use: <tool> <JSON>" it calls that tool of Mosaic once, and
 * answers with the result. Told "do your task" it lists its tasks, claims the first one, does it in a shell
 * if the agent has one, and writes the result. It answers anything else with "Noted."
 */
export class KnowingModel extends ScriptedModel {
  override script = (body: ModelBody): Turn => {
    const said = textsOf(body, 'user').join('\n')
    const results = textsOf(body, 'tool')
    if (said.includes('do your task')) return atWork(body, results)
    const [, name, input] = /use: (\w+) (\{.*\})/.exec(said) ?? []
    if (!name) return { text: 'Noted.' }
    return results[0] === undefined ? call(name, JSON.parse(input)) : { text: results[0] }
  }
}

function atWork(body: ModelBody, results: string[]): Turn {
  const [list] = results
  if (list === undefined) return call('tasks_list', { mine: true, status: 'todo' })
  const [, id] = /\bid\\*":\\*"([a-z0-9]{24})\\*"/.exec(list) ?? []
  if (!id) return { text: 'There is nothing to do.' }
  const steps: Turn[] = [
    call('tasks_update', { id, claim: true }),
    ...(has(body, 'exec') ? [{ calls: [{ name: 'exec', args: { command: WORK.command } }] }] : []),
    call('tasks_update', { id, status: 'done', result: WORK.output }),
  ]
  return steps[results.length - 1] ?? { text: 'It is done.' }
}

const call = (tool: string, args: object): Turn => ({ calls: [{ name: PREFIX + tool, args }] })

const has = ({ tools = [] }: ModelBody, name: string) =>
  tools.some((tool) => tool.function.name === name)

/**
 * Texts of one role since the model's last answer. An agent with the full profile adds a message of its own after
 * the user's, in the same role.
 */
function textsOf({ messages }: ModelBody, role: string): string[] {
  const answered = messages.findLastIndex(
    (message) => message.role === 'assistant' && !message.tool_calls
  )
  return messages
    .slice(answered + 1)
    .filter((message) => message.role === role)
    .map(({ content }) => textOf(content))
}

function textOf(content: unknown): string {
  if (typeof content === 'string') return content
  if (!Array.isArray(content)) return ''
  return content.map((part: { text?: string }) => part.text ?? '').join('\n')
}
