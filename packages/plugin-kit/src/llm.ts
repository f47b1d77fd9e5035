/** Contract of an LLM adapter, and the helpers that most adapters use. */
export * from '../../../app/llm/contract.js'
export * from '../../../app/llm/errors.js'
export * from '../../../app/llm/define_config.js'
export * from '../../../app/llm/registry.js'

/** The entry in an agent's document, and the calls that an agent may make. */
export * from '../../../app/llm/openclaw_entry.js'
export * from '../../../app/llm/api_calls.js'

/** Connection tests that map each failure to its reason. */
export * from '../../../app/llm/connection_test.js'
export * from '../../../app/llm/openai_api.js'
export * from '../../../app/llm/known_models.js'

/** Vectors of texts, for adapters whose services make embeddings. */
export * from '../../../app/llm/embeddings.js'
