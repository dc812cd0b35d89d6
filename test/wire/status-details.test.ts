import t from 'tap'
import { encodeStatusDetails } from '../../src/wire/index.js'

await t.test('the bytes of a status with one ErrorInfo, worked out by hand', (t) => {
  const url = 'type.googleapis.com/google.rpc.ErrorInfo'
  // ErrorInfo: field 1 "BUSY", field 2 "countersign".
  const info = `0a04${hex('BUSY')}120b${hex('countersign')}`
  const any = `0a28${hex(url)}1213${info}`
  // Status: field 1 varint 14, field 2 "BUSY: later", field 3 the Any.
  const wanted = `080e120b${hex('BUSY: later')}1a3f${any}`
  const bytes = encodeStatusDetails(14, 'BUSY: later', { code: 'BUSY' })
  t.equal(Buffer.from(bytes).toString('hex'), wanted)
  t.end()
})

function hex(text: string): string {
  return Buffer.from(text).toString('hex')
}
