import Type, { type TSchema } from 'typebox'
import type { Role } from './access.ts'
import { commonReceives, commonSends, type Contract, type Receives, type Sends } from './contract.ts'
import { errorCodes, errorTable, type ErrorCode } from './errors.ts'
import { jsonSchema, type DocumentInfo, type JsonSchema } from './json-schema.ts'
import { Timestamp } from './schema.ts'

/**
 * The contracts as an AsyncAPI 3.0 document. There is no Socket.IO binding, so what the standard cannot say stands in
 * `x-socketio`: rooms, replay, limits. The document speaks as the server: it receives what clients send.
 */

/** The last argument of every event, as a schema. */
export const MetaSchema = Type.Object({
  id: Type.String({ description: 'unique for each emission' }),
  room: Type.String({ description: 'the home room, or the socket\'s own id for a reply' }),
  epoch: Type.Optional(Type.String({ description: 'the life of the home room; there when the event is kept' })),
  offset: Type.Optional(Type.Integer({ minimum: 0, description: 'the place in the home room, without holes; there when the event is kept' })),
  at: Timestamp,
  traceId: Type.Optional(Type.String())
}, { description: 'The last argument of every event, after the payload.' })

const ErrorSchema = Type.Object({
  code: Type.Enum(errorCodes),
  message: Type.String(),
  details: Type.Optional(Type.Record(Type.String(), Type.Unknown()))
})

const failure = { $ref: '#/components/schemas/Failure' }

/** @throws TypeError when two contracts would share a channel */
export function asyncapi (contracts: readonly Contract[], info: DocumentInfo): object {
  const ids = contracts.map(channelId)
  const twice = ids.find((id, at) => ids.indexOf(id) !== at)
  if (twice !== undefined) throw new TypeError(`two contracts would share the channel ${twice}`)
  return {
    asyncapi: '3.0.0',
    info: { ...info },
    defaultContentType: 'application/json',
    servers: {
      host: {
        host: '{host}',
        pathname: '/socket.io/',
        protocol: 'socket.io',
        protocolVersion: '5',
        description: 'The Fastify server that registered the package.',
        variables: { host: { default: '127.0.0.1:3000', description: 'address and port of the server' } },
        security: [{ $ref: '#/components/securitySchemes/token' }]
      }
    },
    channels: Object.fromEntries(contracts.map(contract => [channelId(contract), channel(contract)])),
    operations: Object.fromEntries(contracts.flatMap(operations)),
    components: {
      schemas: {
        Meta: jsonSchema(MetaSchema),
        Error: jsonSchema(ErrorSchema),
        Failure: {
          type: 'object',
          required: ['ok', 'error'],
          properties: { ok: { type: 'boolean', const: false }, error: { $ref: '#/components/schemas/Error' } }
        }
      },
      securitySchemes: {
        token: {
          type: 'http',
          scheme: 'bearer',
          bearerFormat: 'JWT',
          description: 'Sent as `auth.token` when the namespace is connected, never in the URL or a header. A refused connection ' +
            'gets `connect_error` with `error.data = { code, message }`.',
          'x-socketio': { handshake: 'auth.token' }
        }
      },
      'x-errors': errorTable
    }
  }
}

function channelId ({ namespace }: Contract): string {
  return namespace.slice(1).replaceAll('/', '.') || 'root'
}

const received = (contract: Contract): [string, Receives][] => Object.entries<Receives>({ ...commonReceives, ...contract.receives })
const sent = (contract: Contract): [string, Sends][] => Object.entries<Sends>({ ...commonSends, ...contract.sends })

function channel (contract: Contract): object {
  const messages: Record<string, object> = {}
  for (const [event, declaration] of received(contract)) {
    messages[`receive.${event}`] = {
      name: event,
      summary: declaration.summary,
      payload: { ...jsonSchema(declaration.payload), ...(declaration.deprecated && { deprecated: true }) }
    }
    messages[`answer.${event}`] = {
      name: event,
      summary: `The acknowledgement of ${event}.`,
      payload: { oneOf: [accepted(declaration.ack), failure] }
    }
  }
  for (const [event, code] of Object.entries(contract.refuses)) {
    messages[`receive.${event}`] = { name: event, summary: `Always refused with ${code}.`, payload: {} }
    messages[`answer.${event}`] = { name: event, summary: `The refusal of ${event}.`, payload: refusal(code) }
  }
  for (const [event, declaration] of sent(contract)) {
    messages[`send.${event}`] = {
      name: event,
      summary: declaration.summary,
      headers: { $ref: '#/components/schemas/Meta' },
      payload: jsonSchema(declaration.payload),
      'x-socketio': { arguments: ['payload', 'headers'] }
    }
  }
  return {
    address: contract.namespace,
    title: `Namespace ${contract.namespace}`,
    description: contract.summary,
    servers: [{ $ref: '#/servers/host' }],
    messages,
    'x-roles': [...contract.admits],
    'x-socketio': { namespace: contract.namespace }
  }
}

/** What an acknowledgement carries besides `ok: true`, together with it. */
function accepted (ack: TSchema | undefined): JsonSchema {
  const ok = { type: 'object', required: ['ok'], properties: { ok: { type: 'boolean', const: true } } }
  if (ack === undefined) return ok
  const data = jsonSchema(ack) as { required?: string[], properties?: object }
  if (!data.properties) return { allOf: [ok, data] }
  return { ...data, required: ['ok', ...data.required ?? []], properties: { ...ok.properties, ...data.properties } }
}

function refusal (code: ErrorCode): object {
  return { allOf: [failure, { properties: { error: { properties: { code: { const: code } } } } }] }
}

function operations (contract: Contract): [string, object][] {
  const id = channelId(contract)
  const at = { $ref: `#/channels/${id}` }
  const message = (name: string): object[] => [{ $ref: `#/channels/${id}/messages/${pointer(name)}` }]
  const answered = (event: string): object => ({
    action: 'receive', channel: at, messages: message(`receive.${event}`), reply: { channel: at, messages: message(`answer.${event}`) }
  })
  return [
    ...received(contract).map(([event, declaration]): [string, object] => [`${id}.receive.${event}`, {
      ...answered(event),
      summary: declaration.summary,
      'x-roles': declaration.who.filter((role: Role) => contract.admits.includes(role)),
      ...(declaration.deprecated && { 'x-deprecated': true }),
      'x-socketio': {
        acknowledgement: 'optional',
        failure: declaration.failure ?? 'error',
        ...(declaration.limit && { limit: declaration.limit })
      }
    }]),
    ...Object.entries(contract.refuses).map(([event, code]): [string, object] => [`${id}.receive.${event}`, {
      ...answered(event),
      summary: `Always refused with ${code}.`,
      'x-roles': [...contract.admits],
      'x-socketio': { acknowledgement: 'optional', refused: code }
    }]),
    ...sent(contract).map(([event, declaration]): [string, object] => [`${id}.send.${event}`, {
      action: 'send',
      channel: at,
      messages: message(`send.${event}`),
      summary: declaration.summary,
      description: destination(declaration),
      'x-socketio': { rooms: declaration.rooms.map(room => room.pattern), kept: declaration.kept }
    }])
  ]
}

/** A name as a part of a JSON pointer. */
function pointer (name: string): string {
  return name.replaceAll('~', '~0').replaceAll('/', '~1')
}

function destination ({ rooms, kept }: Sends): string {
  if (rooms.length === 0) return 'Sent to one socket alone.'
  const once = 'Each socket of these rooms gets it once, the first is its home room.'
  return `${once} ${kept ? 'It is kept there for replay.' : 'It is not kept: the newest one wins.'}`
}
