/**
 * Names of OpenClaw 2026.9.6's own tools, from its catalogue, and names it reserves. It refuses a client's
 * tool with one of these names, whichever tools the agent itself may use.
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

/** Prefix added to a client's tool name that is taken. */
const PREFIX = 'client_'

/** OpenAI's limit for function names. Longer ones stay as they are, for the gateway to refuse. */
const MOST_CHARACTERS = 64

/** Where an answer may name a renamed tool. */
const NAMED = /"name":"(client_[^"]{1,64})"/g

type Fields = Record<string, any>

/**
 * Renames client tools that clash with the agent's own on the way in, and restores their names on the way
 * out. Works for both OpenAI APIs: `tools[].function.name` and `tools[].name`.
 */
export class ToolNames {
  /** The client's names, keyed by the names the agent sees. */
  readonly #originals = new Map<string, string>()
  readonly #renamed = new Map<string, string>()

  private constructor(names: string[], present: Set<string>) {
    const free = new FreeNames(present)
    for (const name of names) {
      const alias = free.next(name)
      this.#originals.set(alias, name)
      this.#renamed.set(name, alias)
    }
  }

  /** Returns null if no name is taken: the request can go on unchanged. */
  static of(tools: unknown): ToolNames | null {
    if (!Array.isArray(tools)) return null
    const names = tools
      .map((tool) => tool?.function?.name ?? tool?.name)
      .filter((name): name is string => typeof name === 'string')
    const taken = names.filter(isTaken)
    return taken.length > 0 ? new ToolNames([...new Set(taken)], new Set(names)) : null
  }

  /** Returns the request with the agent's names, also in earlier calls and in the tool choice. */
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
   * Restores the client's names in an answer, or in whole events of one. An unescaped name field in raw JSON
   * is always a real one: inside strings the quotes are escaped.
   */
  restored(json: Buffer): Buffer {
    if (!json.includes(`"name":"${PREFIX}`)) return json
    const text = json.toString().replace(NAMED, (field, alias) => {
      const name = this.#originals.get(alias)
      return name === undefined ? field : `"name":${JSON.stringify(name)}`
    })
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

const isTaken = (name: string) =>
  name.length <= MOST_CHARACTERS && TAKEN.has(name.trim().toLowerCase())

/**
 * Finds names that no tool has yet. Remembers the next number for each name, because a client may send one
 * name in thousands of spellings that differ only in spaces.
 */
class FreeNames {
  readonly #next = new Map<string, number>()

  constructor(protected present: Set<string>) {}

  next(name: string): string {
    const trimmed = name.trim()
    for (let number = this.#next.get(trimmed) ?? 0; ; number++) {
      const prefix = number === 0 ? PREFIX : `${PREFIX}${number}_`
      const alias = prefix + trimmed
      if (this.present.has(alias)) continue
      this.present.add(alias)
      this.#next.set(trimmed, number + 1)
      return alias
    }
  }
}
