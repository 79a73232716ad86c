import Fastify from 'fastify'
import { optionsOf, serve } from './serve.ts'

/** Fastify alone: a POST that takes JSON and answers as much as the route it is compared with. */

const { answer } = optionsOf<{ answer: object }>()
const app = Fastify()
app.post('/*', async () => answer)
await serve(await app.listen({ port: 0, host: '127.0.0.1' }))
