// A peer of the classic stack: ssb-server's own parts. With "ebt":false it replicates as it did before EBT, by
// createHistoryStream.
const pull = require('pull-stream')
const ssbKeys = require('ssb-keys')
const converse = require('../driver/conversation')
const operations = require('../driver/operations')
const settings = require('../driver/settings')

const { given, address, host, config } = settings(ssbKeys)

const create = require('ssb-server').createSsbServer()
  .use(require('ssb-private1'))
  .use(require('ssb-master'))
  .use(require('ssb-gossip'))
  .use(require('ssb-replicate'))
  .use(require('ssb-friends'))
  .use(require('ssb-blobs'))
  .use(require('ssb-invite'))
if (given.ebt !== false) create.use(require('ssb-ebt'))
const ssb = create(config)

const answers = operations(ssb, pull, {
  onMessage: (fn) => ssb.post(({ value }) => fn(value)),
  connect: (to, cb) => ssb.connect(to, cb),
  publish: (content, cb) => ssb.publish(content, cb),
  publishPrivate: (content, recps, format, cb) => ssb.publish({ ...content, recps }, cb),
  erase: (key, cb) => ssb.del(key, cb),
  settle: (cb) => ssb.close(true, cb), // which flushes first
  getDecrypted: (id, cb) => ssb.get({ id, private: true }, cb)
})
/** Copies the log as flumelog-offset writes it with positions of so many bits. */
answers.copyLog = (file, bits) => new Promise((resolve, reject) => {
  const log = require('flumelog-offset')(file, { offsetCodec: bits, codec: require('ssb-db/codec') })
  pull(ssb.createLogStream(), pull.asyncMap((message, cb) => log.append(message, cb)), pull.onEnd((error) => {
    if (error) reject(error)
    else resolve(file)
  }))
})
settings.listening(given.port, host).then(() => converse({ id: ssb.id, address }, answers))
