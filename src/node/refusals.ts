/** What a node answers when it is the wrong one, or the wrong moment, to ask. */
import { CountersignError } from '../errors.js'

export function nodeStopping(): CountersignError {
  return new CountersignError('NODE_STOPPING', 'This node is shutting down. Try another node.')
}

export function noQuorum(): CountersignError {
  return new CountersignError(
    'NO_QUORUM',
    'No majority of nodes answered, so this node cannot know whether its state is current. Try again.',
  )
}
