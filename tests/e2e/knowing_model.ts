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
    const asked = body.messages.findLastIndex(({ role }) => role === 'user')
    const said = textOf(body.messages[asked]?.content)
    const results = body.messages
      .slice(asked + 1)
      .filter(({ role }) => role === 'tool')
      .map(({ content }) => textOf(content))
    if (said.includes('do your task')) return atWork(body, results)
    const [, name, input] = /use: (\w+) (\{.*\})/.exec(said) ?? []
    if (!name) return { text: 'Noted.' }
    return results[0] === undefined ? call(body, name, JSON.parse(input)) : { text: results[0] }
  }
}

function atWork(body: ModelBody, results: string[]): Turn {
  const [list] = results
  if (list === undefined) return call(body, 'tasks_list', { mine: true, status: 'todo' })
  const [, id] = /\bid\\*":\\*"([a-z0-9]{24})\\*"/.exec(list) ?? []
  if (!id) return { text: 'There is nothing to do.' }
  const steps: Turn[] = [
    call(body, 'tasks_update', { id, claim: true }),
    ...(has(body, 'exec') ? [{ calls: [{ name: 'exec', args: { command: WORK.command } }] }] : []),
    call(body, 'tasks_update', { id, status: 'done', result: WORK.output }),
  ]
  return steps[results.length - 1] ?? { text: 'It is done.' }
}

/** The full profile defers tools of servers: its agent calls them through a tool of its own. */
function call(body: ModelBody, tool: string, args: object): Turn {
  const name = PREFIX + tool
  if (has(body, name)) return { calls: [{ name, args }] }
  return { calls: [{ name: 'tool_call', args: { id: name, args } }] }
}

const has = ({ tools = [] }: ModelBody, name: string) =>
  tools.some((tool) => tool.function.name === name)

function textOf(content: unknown): string {
  if (typeof content === 'string') return content
  if (!Array.isArray(content)) return ''
  return content.map((part: { text?: string }) => part.text ?? '').join('\n')
}
