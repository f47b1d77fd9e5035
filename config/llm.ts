import { adapters } from '#llm/built_in_adapters'
import { defineConfig } from '#llm/define_config'

/** The kinds of LLM services that a provider can have, in the order of the form. */
const llmConfig = defineConfig({
  adapters: {
    openai: adapters.openai(),
    anthropic: adapters.anthropic(),
    zai: adapters.zai(),
    ollama: adapters.ollama(),
    custom: adapters.custom(),
    demo: adapters.demo(),
  },
})

export default llmConfig
