// Preloaded into a node with `?address=…`: what it sends to receivers comes from that address, so that they can tell nodes
// from each other.
import net from 'node:net';

const address = new URL(import.meta.url).searchParams.get('address');
const { connect } = net.Socket.prototype;

/** The driver of the database connects by port and host, without options. */
net.Socket.prototype.connect = function connectFrom(...args) {
  const [first] = Array.isArray(args[0]) ? args[0] : args;
  if (typeof first === 'object' && first !== null && first.port !== undefined) first.localAddress ??= address;
  return connect.apply(this, args);
};
