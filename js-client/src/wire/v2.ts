// Version 2 of the protocol: MessagePack in chunks, with binary data as part of the message.
import { MessageTooLarge, ProtocolError } from '../errors.js';
import { membersOf, type Incoming } from '../messages.js';
import { assembly, cut } from './chunks.js';
import { pack } from './pack.js';
import { bytesOf, left, open, outer, problem as unshown, value } from './unpack.js';
import type { Wire } from './wire.js';

/** What a server accepts that does not tell. */
const FRAME_BYTES = 512 * 1024;

/** Version 2 of the protocol, spoken by Python servers since 2.0. */
export const v2: Wire = {
  name: 'v2',
  codec: (maxBytes) => {
    const assemble = assembly(maxBytes);
    let sent = 0;
    let largestFrame = FRAME_BYTES;
    // The header of a chunk has four bytes for it.
    let largestMessage = 2 ** 32 - 1;
    return {
      encode(message) {
        const pieces = pack(message);
        const bytes = bytesOf(pieces);
        if (bytes > largestMessage) throw new MessageTooLarge(message.method, largestMessage, bytes);
        return cut(pieces, sent++ >>> 0, largestFrame);
      },
      decode(frame) {
        const chunks = typeof frame === 'string' ? undefined : assemble(frame);
        return chunks && messageOf(chunks);
      },
      limitFrames(frameBytes = FRAME_BYTES, messageBytes = largestMessage) {
        largestFrame = frameBytes;
        largestMessage = messageBytes;
      },
    };
  },
};

/** A message that says whose it is costs no other one, whatever is in it. */
function messageOf(chunks: Uint8Array[]): Incoming | undefined {
  let message: unknown;
  let problem: string | undefined;
  open(chunks);
  try {
    message = value();
    problem = left > 0 ? 'a value is shorter than its message' : unshown;
  } catch (error) {
    message = outer;
    problem = (error as Error).message;
    if (typeof outer?.['id'] !== 'string') throw new ProtocolError('a message is no MessagePack', error);
  } finally {
    open();
  }
  const members = membersOf(message, 'message') as unknown as { -readonly [Key in keyof Incoming]: Incoming[Key] };
  if (typeof members.id !== 'string') return undefined;
  // Ours, whatever the server has in its place.
  delete members.problem;
  if (problem !== undefined) members.problem = new ProtocolError(problem);
  return members;
}
