import { claimMs, type Due } from './advance.ts'
import { recordBounds, type GuidanceRecord, type Job } from './record.ts'

/**
 * One process at a time acts on what is due in a session, because a gate's answer depends on those before. What another
 * process finds due meanwhile waits in the record; who holds the lease takes it before letting go, or whoever comes
 * after the lease ran out.
 */
export const leaseMs = 10_000

/** What this process has to do, and the record as it stood when it took that on. */
export interface Batch { record: GuidanceRecord, due: Due }

/** Takes the lease and all that is due and left; null when there is nothing to do, or another process does it. */
export function take (record: GuidanceRecord, due: Due, owner: string, now: number): Batch | null {
  const { session } = record
  if (session.lease && session.lease.owner !== owner && session.lease.until > now) {
    session.looks = [...session.looks, ...due.looks].slice(-recordBounds.looks)
    for (const job of due.jobs) job.claimedUntil = 0
    return null
  }
  const looks = [...session.looks, ...due.looks]
  const jobs = [...abandoned(record, due.jobs, now), ...due.jobs]
  session.looks = []
  const idle = looks.length + jobs.length === 0 && session.prompts.every(prompt => prompt.told)
  session.lease = idle ? null : { owner, until: now + leaseMs }
  return idle ? null : { record, due: { looks, jobs } }
}

/** Lets go, unless something was left meanwhile: that is taken at once. */
export function release (record: GuidanceRecord, owner: string, now: number): Batch | null {
  if (record.session.lease?.owner !== owner) return null
  return take(record, { looks: [], jobs: [] }, owner, now)
}

/** Windows whose claim ran out: the process that had them is gone. They are claimed anew. */
function abandoned ({ session }: GuidanceRecord, own: readonly Job[], now: number): Job[] {
  const left = session.jobs.filter(job => job.claimedUntil < now && !own.some(one => one.id === job.id))
  for (const job of left) job.claimedUntil = now + claimMs
  return left
}
