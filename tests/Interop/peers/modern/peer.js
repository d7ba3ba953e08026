// A peer of the modern stack: secret-stack with ssb-db2, ssb-conn, ssb-ebt and their companions.
const pull = require('pull-stream')
const ssbKeys = require('ssb-keys')
const converse = require('../driver/conversation')
const operations = require('../driver/operations')
const settings = require('../driver/settings')

const { given, address, host, config } = settings(ssbKeys)

const create = require('secret-stack')({ caps: config.caps })
if (given.lan) create.use(require('ssb-lan')) // before ssb-conn, which looks for it
const ssb = create
  .use(require('ssb-master'))
  .use(require('ssb-db2'))
  .use(require('ssb-db2/compat'))
  .use(require('ssb-db2/compat/feedstate'))
  .use(require('ssb-friends'))
  .use(require('ssb-ebt'))
  .use(require('ssb-replication-scheduler'))
  .use(require('ssb-conn'))
  .use(require('ssb-blobs'))
  .use(require('ssb-invite-client'))
  .use(require('ssb-http-auth-client'))
  .call(null, config)

const answers = operations(ssb, pull, {
  onMessage: (fn) => ssb.db.onMsgAdded(({ nativeMsg }) => fn(nativeMsg)),
  connect: (to, cb) => ssb.conn.connect(to, cb),
  publish: (content, cb) => ssb.db.create({ keys: config.keys, content }, cb),
  makeKeys: (seed) => ssbKeys.generate('ed25519', seed),
  publishWith: (keys, content, cb) => ssb.db.create({ keys, content }, cb),
  publishPrivate: (content, recps, format, cb) =>
    ssb.db.create({ keys: config.keys, content: { ...content, recps }, recps, encryptionFormat: format }, cb),
  erase: (key, cb) => ssb.db.del(key, cb),
  settle: (cb) => ssb.db.getLog().onDrain(() => ssb.db.getLog().onDeletesFlushed(cb)),
  getDecrypted: (key, cb) => ssb.db.get(key, cb)
})
settings.listening(given.port, host).then(() => converse({ id: ssb.id, address }, answers))
