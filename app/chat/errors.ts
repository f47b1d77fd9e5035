import { Exception } from '@adonisjs/core/exceptions'
import { CodedError } from '#drivers/contract_error'
import { cut } from '#text/cut'

/** OpenClaw takes interrupted turns up by itself, a few seconds after a start. */
const GOES_ON =
  'It starts again by itself and goes on where it was. Look again in a minute before you send your message again.'

/** The agent's gateway broke off: it was stopped, killed, or crashed during an answer. */
export class E_AGENT_GONE extends CodedError {
  static override status = 502
  static override message = 'Your agent stopped in the middle of its answer.'
  static override help = GOES_ON
}

/** The gateway could not be reached, even after a fresh address was requested. */
export class E_AGENT_UNREACHABLE extends CodedError {
  static override status = 503
  static override message = 'Your agent does not answer.'
  static override help = 'Try again in a moment. If it goes on, restart your agent in the settings.'
}

/** The gateway accepted the message, then stayed silent for too long. */
export class E_AGENT_SILENT extends CodedError {
  static override status = 504
  static override message =
    'Your agent has said nothing for a long time, so Mosaic gave up waiting.'
  static override help =
    'Try again. If it goes on, choose another model or restart your agent in the settings.'
}

/** The agent is up, but this run failed, usually because of its model. */
export class E_AGENT_FAILED extends CodedError {
  static override status = 502
  static override message = 'Your agent could not finish this answer.'
  static override help = 'Try again. If it goes on, test the connection of your provider.'
}

/** The wake takes longer than a non-streaming caller should be kept waiting. */
export class E_AGENT_WAKING extends CodedError {
  static override status = 503
  static override message = 'Your agent is still waking up.'
  static override help = 'Try again in a few seconds, or ask for a stream.'
}

/** This Mosaic process is stopping; another, or its successor, answers in a moment. */
export class E_MOSAIC_STOPPING extends CodedError {
  static override status = 503
  static override message = 'Mosaic is restarting.'
  static override help = 'Send your message again in a moment.'
}

/** All models of the agent are rate-limited. */
export class E_MODEL_RATE_LIMITED extends CodedError {
  static override status = 429
  static override message = 'The models of your agent accept no more requests just now.'
  static override help = 'Wait a little, or choose another model in the settings.'
}

/** The gateway rejected the request itself; its message says what is wrong. */
export class E_CHAT_REFUSED extends CodedError {
  static override status = 400
  static override message = 'Your agent cannot read this request.'
}

export class E_CHAT_TOO_LARGE extends CodedError {
  static override status = 413
  static override message = 'The request is too large.'
  static override help = 'Send less at once: shorter messages, or smaller and fewer images.'
}

/** A limit, because bytes already received are held in memory. */
export class E_CHAT_TOO_SLOW extends CodedError {
  static override status = 408
  static override message = 'The request took too long to arrive.'
  static override help = 'Send less at once, or over a faster connection.'
}

export class E_CHAT_NOT_JSON extends CodedError {
  static override status = 400
  static override message = 'The request is not a JSON object.'
}

export class E_CHAT_NO_MESSAGES extends CodedError {
  static override status = 400
  static override message = '"messages" must be a list with at least one message.'
}

export class E_CHAT_MESSAGE_SHAPE extends CodedError {
  static override status = 400
  static override message = 'Each of "messages" must be an object with a "role".'
  static override help = 'Send messages as { "role": "user", "content": "…" }.'
}

export class E_CHAT_MODEL_NAME extends CodedError {
  static override status = 400
  static override message = '"model" must be the name of a model.'
  static override help = 'GET /v1/models lists yours; "openclaw" is your agent with its own choice.'
}

export class E_CHAT_UNKNOWN_MODEL extends Exception {
  static override code = 'model_not_found'
  static override status = 404
  static override message = 'There is no such model.'
  static override help = 'GET /v1/models lists yours; "openclaw" is your agent with its own choice.'
}

/** A request that names this model would not reach the service with the exact name. */
export class E_CHAT_UNUSABLE_MODEL extends CodedError {
  static override status = 400
  static override message = 'A request cannot name this model: its name does not fit into a header.'
  static override help =
    'Choose it as the primary model of your agent in the settings, and ask for "openclaw".'
}

/** The model's service has another API than the one asked for, and Mosaic does not translate. */
export class E_CHAT_OTHER_API extends CodedError {
  static override status = 400

  /** @param other where Mosaic offers the service's own API, if it does */
  constructor(provider: string, model: string, asked: string, other: string | null) {
    super(`The provider "${provider}" has no /v1${asked}.`)
    const agent = `ask for "openclaw/${provider}/${cut(model, 200)}" by /v1/chat/completions: your agent answers with this model.`
    this.help = other ? `Ask this model by /v1${other}, or ${agent}` : agent.replace(/^a/, 'A')
  }
}

/** The agent would ignore this message part and answer as if it had not been sent. */
export class E_CHAT_CONTENT extends CodedError {
  static override status = 400
  static override help = 'Send text and images to your agent, or ask a model by its own name.'
  readonly field = 'messages'
}

/** An image URL that cannot be fetched for the agent. */
export class E_CHAT_IMAGE extends CodedError {
  static override status = 400
  static override help = 'Send the image itself, as a data: URL.'
  readonly field = 'messages'
}

/** Embeddings need a model made for them; an agent is not one. */
export class E_AGENT_NO_EMBEDDINGS extends CodedError {
  static override status = 400
  static override message = 'Your agent makes no embeddings.'
  static override help = 'Name a model of a provider, as "<provider>/<model>".'
  readonly field = 'model'
}

/** Anthropic's API reaches models alone: an agent's gateway does not speak it. */
export class E_AGENT_NO_MESSAGES extends CodedError {
  static override status = 400
  static override message = "Your agent does not speak Anthropic's API."
  static override help =
    'Ask your agent by /v1/chat/completions, or name a model here as "<provider>/<model>".'
  readonly field = 'model'
}

export class E_CHAT_NO_INPUT extends CodedError {
  static override status = 400
  static override message = '"input" must be a text or a list with at least one item.'
  readonly field = 'input'
}

export class E_CONVERSATION_TITLE_TAKEN extends CodedError {
  static override status = 409
  static override message = 'Another conversation has that title.'
  static override help = 'Choose another one.'
}

/** Unknown, deleted, or someone else's: indistinguishable on purpose. */
export class E_CONVERSATION_NOT_FOUND extends CodedError {
  static override status = 404
  static override message = 'There is no such conversation.'
  static override help = 'It may have been deleted. Reload the list, and choose another one.'
}

/** This Mosaic process is not answering in this conversation. */
export class E_CHAT_NOT_RUNNING extends CodedError {
  static override status = 404
  static override message = 'No answer is under way in this conversation.'
  static override help = 'Read the conversation: an answer that is complete stands there.'
}

/** A limit, because the agent decides how many of its answers run, and Mosaic records each that a page joins. */
export class E_TOO_MANY_ANSWERS extends CodedError {
  static override status = 429
  static override message = 'Too many answers of your agent are under way to show this one as well.'
  static override help = 'Stop another one, or wait until it has ended.'
}

/** Already answered, expired, in another conversation, or someone else's: indistinguishable on purpose. */
export class E_APPROVAL_NOT_FOUND extends CodedError {
  static override status = 404
  static override message = 'There is no such open approval.'
  static override help =
    'It was answered already, or it expired. If the agent still waits, send your message again.'
}

export class E_ATTACHMENT_UNREADABLE extends CodedError {
  static override status = 422
  static override help =
    'Agents read pictures (PNG, JPEG, GIF, WebP), PDFs, and text in UTF-8; data is base64.'

  constructor(
    name: string,
    /** The field of the request that holds it. */
    readonly field: string
  ) {
    super(`Your agent cannot read "${cut(name, 100)}".`)
  }
}

export class E_ATTACHMENTS_TOO_LARGE extends CodedError {
  static override status = 413
  static override message = 'A message can have at most ten files, of 10 MB in total.'
  static override help = 'Send fewer or smaller files, or several messages.'
}

export class E_UPLOAD_FORM extends CodedError {
  static override status = 415
  static override message = 'Files are sent as JSON.'
  static override help =
    'Send { "name": "a.png", "type": "image/png", "data": "<base64>" } with "Content-Type: application/json".'
}

export class E_UPLOAD_NOT_FOUND extends CodedError {
  static override status = 404
  static override message = 'There is no such upload.'
  static override help = 'Uploads are kept for an hour, and for one message: upload the file again.'
}

export class E_UPLOADS_FULL extends CodedError {
  static override status = 409
  static override message = 'You have uploaded as much as is kept for you.'
  static override help = 'Send the uploads with a message, or delete some.'
}

/** The gateway no longer has the picture, or never had it. */
export class E_PICTURE_NOT_FOUND extends CodedError {
  static override status = 404
  static override message = 'Your agent does not have this picture.'
  static override help = 'It was deleted or never stored. Ask your agent to show it again.'
}
