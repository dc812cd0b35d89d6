/**
 * Makes protobufjs decode uint64 as a number. The generated code fixes its defaults while it loads,
 * so this module must be evaluated before it: protobuf.ts imports both, in this order.
 */
import protobuf from 'protobufjs/minimal.js'

;(protobuf.util as { Long: unknown }).Long = undefined
protobuf.configure()
