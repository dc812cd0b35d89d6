/** What both ends of a peer stream tell grpc-js. */
import type { ChannelOptions } from '@grpc/grpc-js'
import { messageBytesMax } from '../wire/index.js'

export const channelOptions: ChannelOptions = {
  'grpc.max_receive_message_length': messageBytesMax,
  'grpc.max_send_message_length': messageBytesMax,
  // 64 KiB, the default of HTTP/2, would stop a 1 MiB frame sixteen times on its way.
  'grpc-node.flow_control_window': 2 * messageBytesMax,
  // A peer is never behind a proxy, whatever the environment says about web traffic.
  'grpc.enable_http_proxy': 0,
  // The stream is one long call: retries would only keep copies of what was sent.
  'grpc.enable_retries': 0,
  'grpc.service_config_disable_resolution': 1,
}
