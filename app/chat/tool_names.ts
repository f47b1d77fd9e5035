/**
 * Names of OpenClaw 2026.9.6's own tools, from its catalogue, and those that it keeps free. It refuses a
 * client's tool of one of these names, whatever the agent may use itself.
 */
const TAKEN = new Set(
  `agents_list agents_wait apply-patch apply_patch ask_user automation automations bash browser canvas
  code_execution computer conversations_list conversations_send conversations_turn create_goal cron dashboard
  dismiss_task edit exec find gateway get_goal github_identity_status github_publish grep heartbeat_respond
  image image_generate ls memory_get memory_search message music_generate nodes openclaw pdf portal process
  progress_card read screen secrets session_status sessions_history sessions_list sessions_search sessions_send
  sessions_spawn sessions_yield show_widget skill_workshop subagents suggest_task terminal theme tool_call
  tool_describe tool_search tts update_goal video_generate view_image web_fetch web_search write x_search`.split(
    /\s+/
  )
)

/** Before a client's name that is taken. */
const PREFIX = 'client_'

/** OpenAI's limit on the name of a function. */
const MOST_CHARACTERS = 64

type Fields = Record<string, any>

/**
 * Renames the tools of a client whose names are the agent's own on their way in, and back on their way out.
 * Works on both of OpenAI's APIs: `tools[].function.name` and `tools[].name`.
 */
export class ToolNames {
  /** The client's names, by those that the agent reads. */
  readonly #originals = new Map<string, string>()
  readonly #renamed = new Map<string, string>()

  private constructor(names: string[], present: Set<string>) {
    for (const name of names) {
      const alias = freeName(name, present)
      present.add(alias)
      this.#originals.set(alias, name)
      this.#renamed.set(name, alias)
    }
  }

  /** Null where no name is taken: then the request goes on as it is. */
  static of(tools: unknown): ToolNames | null {
    if (!Array.isArray(tools)) return null
    const names = tools
      .map((tool) => tool?.function?.name ?? tool?.name)
      .filter((name): name is string => typeof name === 'string')
    const taken = names.filter((name) => TAKEN.has(name.trim().toLowerCase()))
    return taken.length > 0 ? new ToolNames([...new Set(taken)], new Set(names)) : null
  }

  /** The request with the names that the agent reads, also where earlier calls and the choice name a tool. */
  renamed(request: Fields): Fields {
    const { tools, tool_choice: choice, messages, input } = request
    return {
      ...request,
      tools: tools.map((tool: Fields) => this.#tool(tool)),
      ...(typeof choice === 'object' && choice && { tool_choice: this.#tool(choice) }),
      ...(Array.isArray(messages) && { messages: messages.map((entry) => this.#message(entry)) }),
      ...(Array.isArray(input) && {
        input: input.map((item) => (item?.type === 'function_call' ? this.#tool(item) : item)),
      }),
    }
  }

  /**
   * An answer, or whole events of one, with the client's own names. A name stands unescaped in raw JSON only
   * where it is one: within a text the quotes before and behind it are escaped.
   */
  restored(json: Buffer): Buffer {
    if (!json.includes(`"name":"${PREFIX}`)) return json
    let text = json.toString()
    for (const [alias, name] of this.#originals) {
      text = text.replaceAll(`"name":${JSON.stringify(alias)}`, `"name":${JSON.stringify(name)}`)
    }
    return Buffer.from(text)
  }

  #message(message: Fields): Fields {
    if (!Array.isArray(message?.tool_calls)) return message
    return { ...message, tool_calls: message.tool_calls.map((call: Fields) => this.#tool(call)) }
  }

  #tool(tool: Fields): Fields {
    if (tool?.function && typeof tool.function === 'object') {
      return { ...tool, function: this.#tool(tool.function) }
    }
    const alias = this.#renamed.get(tool?.name)
    return alias ? { ...tool, name: alias } : tool
  }
}

function freeName(name: string, present: Set<string>): string {
  for (let number = 0; ; number++) {
    const prefix = number === 0 ? PREFIX : `${PREFIX}${number}_`
    const alias = (prefix + name.trim()).slice(0, MOST_CHARACTERS)
    if (!present.has(alias)) return alias
  }
}
