import type { ApplicationService } from '@adonisjs/core/types'
import { tellFailedCommits } from '#models/failed_commits'

/** Has the database tell what it did not store. */
export default class DatabaseProvider {
  constructor(protected app: ApplicationService) {}

  boot() {
    tellFailedCommits()
  }
}
