// What a peer is started with, and the ssb-config that follows from it: one address on loopback and nothing that
// looks for other machines. With "elsewhere" its address on the network that it is in; with "lan" it looks for others there.
const net = require('net')
const os = require('os')
const path = require('path')

/** argv: {"directory","networkKey","port","ebt","hops","elsewhere","lan"} */
module.exports = function settings(ssbKeys) {
  const given = JSON.parse(process.argv[2])
  const keys = ssbKeys.loadOrCreateSync(path.join(given.directory, 'secret'))
  const host = given.elsewhere ? ownAddress() : '127.0.0.1'
  const address = `net:${host}:${given.port}~shs:${keys.public.replace(/\.ed25519$/, '')}`
  const config = {
    path: given.directory,
    keys,
    caps: { shs: given.networkKey },
    connections: {
      incoming: { net: [{ host, port: given.port, scope: ['public', 'local', 'device'], transform: 'shs' }] },
      outgoing: { net: [{ transform: 'shs' }] }
    },
    host,
    port: given.port,
    allowPrivate: true,
    timers: { inactivity: -1, handshake: 15000 },
    friends: { hops: given.hops || 2 },
    replicate: { hops: given.hops || 2 },
    conn: { autostart: Boolean(given.lan), populatePubs: false },
    gossip: { autopopulate: false, seed: false, local: false, friends: false, global: false, connections: 0 },
    blobs: { sympathy: 3 },
    box2: { legacyMode: true },
    logging: { level: 'error' }
  }
  return { given, keys, address, host, config }
}

function ownAddress() {
  const addresses = Object.values(os.networkInterfaces()).flat().filter((one) => !one.internal && one.family === 'IPv4')
  if (addresses.length === 0) throw new Error('this peer is on no network with IPv4')
  return addresses[0].address
}

/** Answers when something listens on a port of this machine. */
module.exports.listening = (port, host = '127.0.0.1') => new Promise((resolve) => {
  const socket = net.connect(port, host, () => { socket.destroy(); resolve() })
  socket.on('error', () => setTimeout(() => module.exports.listening(port, host).then(resolve), 20))
})
