import vine from '@vinejs/vine'
import { setting } from '#settings/setting_kinds'
import { webAddress } from '#settings/web_address'

/** The settings of OpenAI's API, under `/v1`. */
export const API_DEFINITIONS = {
  /**
   * Whether a user's agent answers under `/v1` to any model name without a slash, since some clients
   * hard-code one.
   */
  'api.anyModelName': setting<boolean>({ default: true, schema: vine.boolean({ strict: true }) }),
  /** Other sites whose pages may call `/v1` with an access token, such as `https://chat.example.org`. */
  'api.corsOrigins': setting<string[]>({
    default: [],
    schema: vine
      .array(
        vine
          .string()
          .trim()
          .use(webAddress({ bare: true }))
      )
      .maxLength(64),
  }),
}
