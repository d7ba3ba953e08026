// What a peer is started with, and the ssb-config that follows from it: one address on loopback and nothing that
// looks for other machines.
const net = require('net')
const path = require('path')

/** argv: {"directory","networkKey","port","ebt","hops"} */
module.exports = function settings(ssbKeys) {
  const given = JSON.parse(process.argv[2])
  const keys = ssbKeys.loadOrCreateSync(path.join(given.directory, 'secret'))
  const address = `net:127.0.0.1:${given.port}~shs:${keys.public.replace(/\.ed25519$/, '')}`
  const config = {
    path: given.directory,
    keys,
    caps: { shs: given.networkKey },
    connections: {
      incoming: { net: [{ host: '127.0.0.1', port: given.port, scope: ['public', 'local', 'device'], transform: 'shs' }] },
      outgoing: { net: [{ transform: 'shs' }] }
    },
    host: '127.0.0.1',
    port: given.port,
    allowPrivate: true,
    timers: { inactivity: -1, handshake: 15000 },
    friends: { hops: given.hops || 2 },
    replicate: { hops: given.hops || 2 },
    conn: { autostart: false, populatePubs: false },
    gossip: { autopopulate: false, seed: false, local: false, friends: false, global: false, connections: 0 },
    blobs: { sympathy: 3 },
    box2: { legacyMode: true },
    logging: { level: 'error' }
  }
  return { given, keys, address, config }
}

/** Answers when something listens on a port of this machine. */
module.exports.listening = (port) => new Promise((resolve) => {
  const socket = net.connect(port, '127.0.0.1', () => { socket.destroy(); resolve() })
  socket.on('error', () => setTimeout(() => module.exports.listening(port).then(resolve), 20))
})
