import vine from '@vinejs/vine'
import { setting } from '#settings/setting_kinds'
import { text } from '#settings/definitions/rules'

/** The installation's progress and its own secrets. */
export const INSTALLATION_DEFINITIONS = {
  /** Set by the last onboarding step. Until then every page redirects there. */
  'onboarding.completed': setting<boolean>({
    default: false,
    internal: true,
    schema: vine.boolean(),
  }),
  /** Onboarding steps that were answered or skipped. */
  'onboarding.steps': setting<string[]>({
    default: [],
    internal: true,
    schema: vine.array(vine.string()),
  }),
  /** Whether the installation is claimed, by the setup link or from the command line. */
  'onboarding.claimed': setting<boolean>({
    default: false,
    internal: true,
    schema: vine.boolean(),
  }),
  /** Whether an admin has dismissed the checklist. */
  'onboarding.checklistHidden': setting<boolean>({
    default: false,
    internal: true,
    schema: vine.boolean(),
  }),
  /** Whether an admin has confirmed a backup. */
  'onboarding.backupMade': setting<boolean>({
    default: false,
    internal: true,
    schema: vine.boolean(),
  }),
  /** Label of everything that this installation starts. Generated at first boot. */
  'installation.id': setting<string | null>({ default: null, internal: true, schema: text() }),
  /** A text sealed with the installation's key: a wrong key cannot open it. */
  'vault.sentinel': setting<string | null>({
    default: null,
    secret: true,
    internal: true,
    schema: text(),
  }),

  /** Sealed the audit record in earlier versions: see `legacyAuditKey`. */
  'audit.key': setting<string | null>({
    default: null,
    secret: true,
    internal: true,
    schema: text(),
  }),
}
