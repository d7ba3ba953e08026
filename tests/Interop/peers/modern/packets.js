// Hears the discovery packets of a network and reads them with ssb-lan's own code; sends packets that ssb-lan's own code
// has written, of whatever the test wants announced, and others.
//   argv: {"networkKey"}
const crypto = require('crypto')
const dgram = require('dgram')
const ssbKeys = require('ssb-keys')
const LAN = require('ssb-lan')
const converse = require('../driver/conversation')

const given = JSON.parse(process.argv[2])
const PLAIN = 8008
const ENCRYPTED = 26830

const self = { id: '', keys: ssbKeys.generate(), getAddress: () => null, close: { hook: () => {} } }
const lan = new LAN(self, { caps: { shs: given.networkKey } })
const heard = []

/** What ssb-lan makes of a packet: {address, verified}, or null for nothing. */
function read(port, bytes) {
  let found = null
  lan.notifyDiscovery = (discovery) => { found = discovery }
  const buffer = Buffer.from(bytes)
  if (port === PLAIN) lan.readLegacy(buffer)
  else lan.readNormal(buffer)
  return found
}

/** The packet that ssb-lan writes to announce an address by keys. */
function write(port, address, keys) {
  let packet = null
  const to = { write: (bytes) => { packet = Buffer.from(bytes) } }
  Object.assign(lan, { legacyBroadcast: to, normalBroadcast: to })
  Object.assign(self, { keys, getAddress: () => address })
  if (port === PLAIN) lan.writeLegacy()
  else lan.writeNormal()
  return packet
}

const sockets = {}
function listen(port) {
  return new Promise((resolve) => {
    const socket = sockets[port] = dgram.createSocket({ type: 'udp4', reuseAddr: true })
    socket.on('message', (bytes, from) => {
      if (heard.length < 1000) heard.push({ port, from: from.address, sourcePort: from.port, hex: bytes.toString('hex'), ...read(port, bytes) })
    })
    socket.bind(port, () => { socket.setBroadcast(true); resolve() })
  })
}

const send = (bytes, port, to) => new Promise((resolve, reject) =>
  sockets[port].send(bytes, port, to, (error) => error ? reject(error) : resolve()))

const keysOf = (name) => ssbKeys.generate('ed25519', crypto.createHash('sha256').update(name).digest())
const timers = {}

Promise.all([listen(PLAIN), listen(ENCRYPTED)]).then(() => converse({}, {
  /** Everything heard so far, in its order: {port, from, sourcePort, hex, address, verified}. */
  heard: () => heard,
  /** The id of the made-up peer of a name. */
  idOf: (name) => keysOf(name).id,
  /** Announces an address every second until it is stopped; `address` may hold KEY for that of the made-up peer. */
  announce(name, port, address, to) {
    const keys = keysOf(name)
    const packet = write(port, address.replaceAll('KEY', keys.public.replace(/\.ed25519$/, '')), keys)
    const again = () => send(packet, port, to).catch((error) => console.error(String(error)))
    again()
    clearInterval(timers[name + port])
    timers[name + port] = setInterval(again, 1000)
  },
  hush(name, port) { clearInterval(timers[name + port]) },
  send: (hex, port, to) => send(Buffer.from(hex, 'hex'), port, to),
  /** The packet that ssb-lan writes to announce an address by the keys of a file, as hexadecimal. */
  write: (port, address, secret) => write(port, address, ssbKeys.loadSync(secret)).toString('hex'),
  /**
   * Sends as many packets a second for some seconds: by turns noise, an announcement of ever new made-up peers, and one
   * with a broken signature. Answers with how many were sent.
   */
  async flood(perSecond, seconds, port, to) {
    const address = (number) => `net:192.168.7.${number % 200 + 20}:8008~shs:${crypto.createHash('sha256').update(String(number)).digest('base64')}`
    const packets = Array.from({ length: 300 }, (_, number) =>
      number % 3 === 0 ? crypto.randomBytes(300) : write(port, address(number), keysOf(number % 3 === 1 ? 'flood' : 'flood' + number)))
    const start = Date.now()
    let sent = 0
    while (Date.now() < start + seconds * 1000) {
      const due = Math.min((Date.now() - start) * perSecond / 1000, perSecond * seconds)
      while (sent < due) {
        const packet = packets[sent % packets.length]
        if (++sent % 500 === 0) await send(packet, port, to)
        else sockets[port].send(packet, port, to)
      }
      await new Promise((resolve) => setTimeout(resolve, 2))
    }
    return sent
  }
}))
