import type { Fetch } from '#llm/contract'
import type { SignUp } from '#models/types'
import SignInServiceRow from '#models/sign_in_service'
import { isUniqueViolation } from '#models/unique_violation'
import type { Audit } from '#audit/audit'
import type { Actor } from '#settings/actor'
import { SIGN_IN_CHECKS, type AddressField, type SignInService } from '#identity/services/contract'
import { clientOf } from '#identity/services/directory'
import { E_SERVICE_ADDRESS, E_SERVICE_SECRET_NEEDED } from '#identity/services/errors'
import type { ServiceRegistry } from '#identity/services/registry'
import type { OidcClient } from '#identity/oidc/client'

export interface ServiceInput {
  clientId: string
  /** Omitted: unchanged. */
  clientSecret?: string
  /** Null: the service's own. */
  address?: string | null
  signUp: SignUp
  /** Whether a sign-in there counts as a fresh proof although the service does not say when it was. */
  isProof: boolean
  isActive: boolean
}

/** The services, as an admin edits them. */
export class ServiceSetup {
  constructor(
    protected registry: ServiceRegistry,
    protected means: { fetch: Fetch; oidc: OidcClient },
    protected audit: Audit
  ) {}

  /** Lists all installed services, set up or not, in display order. */
  async list() {
    const rows = await SignInServiceRow.all()
    const byName = new Map(rows.map((row) => [row.name, row]))
    return this.registry.all().map((service) => described(service, byName.get(service.name)))
  }

  /**
   * Stores a service's settings after the service has answered at its address.
   *
   * @throws E_UNKNOWN_SERVICE, E_SERVICE_ADDRESS, E_SERVICE_SECRET_NEEDED, and whatever the service's `look`
   * throws; nothing is stored then
   */
  async store(
    name: string,
    { clientSecret, ...input }: ServiceInput,
    by: Actor
  ): Promise<ReturnType<typeof described>> {
    const service = this.registry.get(name)
    const row = (await SignInServiceRow.findBy({ name })) ?? new SignInServiceRow()
    const address = addressOf(service, input.address)
    const moves = row.$isPersisted && addressOf(service, row.address) !== address
    if (clientSecret === undefined && (moves || !row.clientSecret)) {
      throw new E_SERVICE_SECRET_NEEDED()
    }
    row.merge({ ...input, name, address: address === service.address?.default ? null : address })
    if (clientSecret !== undefined) await row.seal('clientSecret', clientSecret)
    if (input.isActive) await service.look?.(await clientOf(service, row), this.means)
    try {
      await row.save()
    } catch (error) {
      /** Another request has created the row meanwhile: this one changes it. */
      if (row.$isPersisted || !isUniqueViolation(error)) throw error
      return this.store(name, { clientSecret, ...input }, by)
    }
    const { isActive, signUp, isProof } = row
    await this.audit.record({
      actor: by.user,
      address: by.address,
      action: 'sign_in_service.changed',
      details: { service: name, isActive, signUp, isProof, address: row.address },
    })
    return described(service, row)
  }
}

/** @throws E_SERVICE_ADDRESS if the address is invalid, or missing where required */
function addressOf({ address: field }: SignInService, entered: string | null | undefined) {
  if (!field) return null
  if (entered) return field.read(entered)
  if (!field.default) throw new E_SERVICE_ADDRESS('This service needs it.', field.help)
  return field.default
}

const fieldOf = ({ label, help, placeholder, default: given }: AddressField) => ({
  label,
  help,
  placeholder,
  required: given === null,
})

function described(service: SignInService, row: SignInServiceRow | undefined) {
  const { name, label, registerAt, address, checks } = service
  return {
    name,
    label,
    registerAt,
    addressField: address ? fieldOf(address) : null,
    /** Checks that Mosaic cannot make on a sign-in there. */
    unchecked: SIGN_IN_CHECKS.filter((check) => !checks.includes(check)),
    clientId: row?.clientId ?? null,
    clientSecret: { set: Boolean(row?.clientSecret) },
    address: row?.address ?? null,
    signUp: row?.signUp ?? ('invited' as SignUp),
    isProof: row?.isProof ?? false,
    isActive: row?.isActive ?? false,
  }
}
