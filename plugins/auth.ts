import jwt from '@fastify/jwt'
import fp from 'fastify-plugin'
import { OptionsError } from '../lib/core/options.ts'

/** @fastify/jwt with the host's options, unless the host registered it already. There is no built-in secret. */
export default fp<{ jwt?: Record<string, unknown> }>(async (fastify, options) => {
  if (fastify.hasDecorator('jwt')) {
    if (options.jwt) throw new OptionsError('fastify-classwaves: @fastify/jwt is registered already; leave the option jwt out')
    return
  }
  if (!options.jwt) throw new OptionsError('fastify-classwaves: option jwt is needed, for instance jwt: { secret: process.env.JWT_SECRET }, or register @fastify/jwt before')
  if (!options.jwt.secret) throw new OptionsError('fastify-classwaves: option jwt.secret is missing or empty')
  try {
    await fastify.register(jwt, options.jwt as { secret: string })
  } catch (error) {
    throw new OptionsError(`fastify-classwaves: option jwt: ${(error as Error).message}`, { cause: error })
  }
}, { name: 'fastify-classwaves-auth' })
