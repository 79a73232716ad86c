import type { SliceInput } from './schema.ts'

/** A piece of audio that passed every gate. */
export interface AudioChunk {
  sessionId: string
  groupId: string
  userId: string
  data: Uint8Array
  mimeType: string
  chunkId?: string
  startedAt?: string
  endedAt?: string
}

/**
 * Turns audio into talk; the host supplies it. It may keep audio back and answer with slices later, through
 * `fastify.sessions.transcribe`. Chunks of one group arrive in order, one at a time.
 */
export type Transcriber = (chunk: AudioChunk) => Promise<readonly Omit<SliceInput, 'groupId'>[] | void> | readonly Omit<SliceInput, 'groupId'>[] | void
