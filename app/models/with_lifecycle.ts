import { createHash, createHmac, randomBytes } from 'node:crypto'
import { DateTime } from 'luxon'
import { column } from '@adonisjs/lucid/orm'
import type { LucidModel } from '@adonisjs/lucid/types/model'
import type { NormalizeConstructor } from '@adonisjs/core/types/helpers'
import type { Sealed } from '#models/sealed'
import type { AgentStatus, DesiredState } from '#models/types'

type SealedModel = ReturnType<typeof Sealed>

/** A gateway token has 256 random bits, so it cannot be guessed and an unsalted hash is a safe lookup key. */
const TOKEN_BYTES = 32

/** Returns the hash by which a gateway token is looked up. */
export function hashGatewayToken(token: string): string {
  return createHash('sha256').update(token).digest('hex')
}

/**
 * Derives the token that gives an agent access to knowledge and nothing else. The gateway token cannot be
 * recovered from it. The launcher derives it in the same way.
 */
export function knowledgeTokenOf(gatewayToken: string): string {
  return createHmac('sha256', gatewayToken).update('mosaic/knowledge/v1').digest('base64url')
}

/** The columns of `database/lifecycle_columns.ts`, with their types, and the gateway token. */
export function WithLifecycle<Base extends NormalizeConstructor<SealedModel>>(superclass: Base) {
  class ModelWithLifecycle extends superclass {
    @column()
    declare status: AgentStatus

    @column()
    declare desired: DesiredState

    @column({ serializeAs: null })
    declare gatewayTokenHash: string | null

    @column({ serializeAs: null })
    declare knowledgeTokenHash: string | null

    declare updatedAt: DateTime | null

    /**
     * Saves changes if the stored row still has these values; returns whether it did. The model in memory keeps
     * its changes either way.
     */
    async saveWhere(stored: Record<string, string | number | bigint | null>): Promise<boolean> {
      const model = this.constructor as LucidModel
      this.updatedAt = DateTime.local()
      /** A second save within a millisecond leaves the time as it was, and would have nothing to write. */
      const dirty = { ...this.$dirty, updatedAt: this.updatedAt }
      const changes = Object.entries(dirty).map(([name, value]) => {
        const { columnName, prepare } = model.$getColumn(name)!
        return [columnName, prepare ? prepare(value, name, this) : value]
      })
      const query = model.query().where('id', this.id).where(stored)
      const [count] = await query.update(Object.fromEntries(changes))
      if (count === 0) return false
      this.$hydrateOriginals()
      return true
    }

    /** Sets and returns a new random gateway token, sealed and hashed. Does not save the row. */
    async renewGatewayToken(): Promise<string> {
      const token = randomBytes(TOKEN_BYTES).toString('base64url')
      await this.seal('gatewayToken', token)
      this.gatewayTokenHash = hashGatewayToken(token)
      this.knowledgeTokenHash = hashGatewayToken(knowledgeTokenOf(token))
      return token
    }

    /** Removes the gateway token. Once saved, the former token is invalid. */
    async dropGatewayToken(): Promise<void> {
      await this.seal('gatewayToken', null)
      this.gatewayTokenHash = null
      this.knowledgeTokenHash = null
    }
  }
  return ModelWithLifecycle
}
